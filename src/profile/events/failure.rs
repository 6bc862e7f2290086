//! Why an attempt or a stage failed, in one line that people can act on.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// Letters of a reason that are kept.
const MAX_LENGTH: usize = 200;

/// How the log says that a task ended. Source: `JsonProtocol.scala`, `taskEndReasonToJson`.
#[derive(Debug, Default, Deserialize)]
pub struct EndReason<'a> {
    #[serde(rename = "Reason", borrow, default)]
    pub reason: Cow<'a, str>,
    /// Of an exception.
    #[serde(rename = "Class Name", borrow)]
    class: Option<Cow<'a, str>>,
    #[serde(rename = "Description", borrow)]
    description: Option<Cow<'a, str>>,
    /// Of a lost executor.
    #[serde(rename = "Loss Reason", borrow)]
    loss: Option<Cow<'a, str>>,
    /// Of blocks that could not be fetched.
    #[serde(rename = "Message", borrow)]
    message: Option<Cow<'a, str>>,
}

/// How Java's traces name what an exception was made of.
const CAUSE: &str = "Caused by: ";

/// Attempts that failed of the same reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FailureKind {
    pub reason: String,
    pub n: u64,
}

impl EndReason<'_> {
    /// `PythonException: ValueError: bad row 13`, `ExecutorLostFailure: Command exited with code 137`.
    pub fn text(&self) -> String {
        let kind = self.class.as_deref().unwrap_or(&self.reason);
        let kind = kind.rsplit(['.', '$']).next().unwrap_or(kind);
        let told = [&self.loss, &self.description, &self.message]
            .into_iter()
            .filter_map(|text| text.as_deref())
            .map(telling_line)
            .find(|line| !line.is_empty());
        match told {
            Some(told) => format!("{kind}: {told}"),
            None => kind.to_owned(),
        }
    }
}

/// The line of a message that tells most: the first one, or, of a traceback of Python, the one that names the exception.
pub fn telling_line(text: &str) -> String {
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
    let is_traceback = text.contains("Traceback (most recent call last)");
    let told = if is_traceback {
        // Spark adds a line of its own after the exception.
        let of_python = |line: &&str| !line.starts_with("SQLSTATE") && !line.starts_with("at ");
        lines().rfind(of_python)
    } else {
        // The name of an exception by itself tells less than what caused it.
        let is_bare = lines().next().is_some_and(|first| !first.contains([' ', ':']));
        let cause = lines().rfind(|line| line.starts_with(CAUSE)).filter(|_| is_bare);
        cause
            .map(|line| line.trim_start_matches(CAUSE))
            .or_else(|| lines().next())
    };
    let told = told.unwrap_or_default();
    let end = told.char_indices().nth(MAX_LENGTH).map(|(at, _)| at);
    match end.and_then(|end| told.get(..end)) {
        Some(start) => format!("{}…", start.trim_end()),
        None => told.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{EndReason, telling_line};

    #[test]
    fn the_reason_of_an_attempt_is_told_by_what_it_was_and_its_telling_line() {
        let text = |json: &str| serde_json::from_str::<EndReason<'_>>(json).unwrap().text();
        let python = r#"{"Reason":"ExceptionFailure","Class Name":"org.apache.spark.api.python.PythonException","Description":
            "[PYTHON_EXCEPTION] An exception was thrown: Traceback (most recent call last):\n  File \"job.py\", line 3\nValueError: bad row 13\n SQLSTATE: 38000",
            "Stack Trace":[{"Method Name":"m"}]}"#;
        assert_eq!(text(python), "PythonException: ValueError: bad row 13");
        let lost = r#"{"Reason":"ExecutorLostFailure","Executor ID":"0","Loss Reason":"Command exited with code 137"}"#;
        assert_eq!(text(lost), "ExecutorLostFailure: Command exited with code 137");
        let fetch =
            r#"{"Reason":"FetchFailed","Message":"org.x.FetchFailed: Connection refused\n\tat org.x"}"#;
        assert_eq!(text(fetch), "FetchFailed: org.x.FetchFailed: Connection refused");
        let bare = r#"{"Reason":"FetchFailed","Message":"org.x.FetchFailedException\n\tat org.x\nCaused by: java.io.IOException: Failed to connect to /10.0.0.1:7337\n\tat y"}"#;
        assert_eq!(
            text(bare),
            "FetchFailed: java.io.IOException: Failed to connect to /10.0.0.1:7337"
        );
        assert_eq!(
            text(r#"{"Reason":"TaskResultLost","Loss Reason":null}"#),
            "TaskResultLost"
        );
        assert_eq!(telling_line(&"x".repeat(500)).chars().count(), 201);
    }
}

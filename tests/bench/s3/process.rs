//! The processes of the benchmark: the server, told what to do on its standard input, and one for each measurement.

use std::collections::BTreeMap;
use std::env;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use crate::bodies;
use crate::s3_memory::{MemoryS3, Network};

pub const BUCKET: &str = "lake";

/// What a measurement found, by name.
pub type Figures = BTreeMap<String, f64>;

/// The server's process. It ends when this is dropped.
pub struct Server {
    pub endpoint: String,
    child: Child,
    told: Option<ChildStdin>,
    says: BufReader<ChildStdout>,
}

impl Server {
    pub fn start(n_objects: u64, n_bytes: u64) -> Self {
        let mut child = again(&["serve", &n_objects.to_string(), &n_bytes.to_string()])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let told = child.stdin.take();
        let mut says = BufReader::new(child.stdout.take().unwrap());
        let endpoint = line(&mut says);
        Self {
            endpoint,
            child,
            told,
            says,
        }
    }

    fn tell(&mut self, command: &str) -> String {
        writeln!(self.told.as_mut().unwrap(), "{command}").unwrap();
        line(&mut self.says)
    }

    pub fn latency(&mut self, milliseconds: u64) {
        self.tell(&format!("latency {milliseconds}"));
    }

    /// The most requests at a time since the latency was set.
    pub fn max_in_flight(&mut self) -> usize {
        self.tell("in-flight").parse().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.told.take());
        self.child.wait().unwrap();
    }
}

/// This program as another process.
fn again(args: &[&str]) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(args).stdout(Stdio::piped());
    command
}

fn line(from: &mut BufReader<ChildStdout>) -> String {
    let mut line = String::new();
    from.read_line(&mut line).unwrap();
    assert!(line.ends_with('\n'), "the process stopped");
    line.trim_end().to_owned()
}

pub fn measure_in_child(what: &str, place: &str, args: &[&str]) -> Figures {
    let mut all = vec!["measure", what, place];
    all.extend(args);
    let done = again(&all).stderr(Stdio::inherit()).output().unwrap();
    assert!(done.status.success(), "{what} failed: {}", done.status);
    let text = String::from_utf8(done.stdout).unwrap();
    let pairs = text.split_whitespace().map(|pair| pair.split_once('=').unwrap());
    pairs
        .map(|(name, value)| (name.to_owned(), value.parse().unwrap()))
        .collect()
}

/// The server's own program.
pub fn serve(args: &[String]) {
    let [n_objects, n_bytes] = args else {
        panic!("serve takes the number of objects and their bytes");
    };
    let server = MemoryS3::start();
    let keys = (0..n_objects.parse().unwrap()).map(bodies::key);
    server.put_made(BUCKET, keys, &bodies::made(n_bytes.parse().unwrap()));
    println!("{}", server.endpoint);
    for command in std::io::stdin().lines() {
        let command = command.unwrap();
        match command.split_once(' ') {
            Some(("latency", milliseconds)) => {
                server.network(Network {
                    latency: Duration::from_millis(milliseconds.parse().unwrap()),
                    ..Network::default()
                });
                server.reset_tally();
                println!("done");
            }
            _ => println!("{}", server.tally().max_in_flight),
        }
    }
}

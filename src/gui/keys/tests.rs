//! Filters that clicks on keys make.

use serde_json::json;

use super::apply::condition;

#[test]
fn a_key_becomes_a_condition_and_its_quotes_stay_quotes() {
    let columns = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    let made = |names: &[&str], values: &[serde_json::Value]| condition(&columns(names), values);
    assert_eq!(made(&["n"], &[json!(-1)]).unwrap(), "\"n\" = -1");
    assert_eq!(
        made(&["country", "a \"b\""], &[json!("O'Neil"), json!(null)]).unwrap(),
        "\"country\" = 'O''Neil' AND \"a \"\"b\"\"\" IS NULL"
    );
    // Floats have no exact literal, lists none at all.
    assert_eq!(made(&["x"], &[json!(0.1)]), None);
    assert_eq!(made(&["x"], &[json!([1])]), None);
}

//! Numbers of a report, whatever its schema: those of chosen keys, in the order they stand in.

use serde_json::Value;

use crate::read::{Kind, Numbers};

/// The numbers of each key, one list a key. `new|old` is one key by either name.
///
/// A key that has no number is left out, and then missing in the comparison.
pub fn numbers(text: &str, keys: &[String]) -> Result<Vec<Numbers>, String> {
    let report: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let mut found = Vec::new();
    for key in keys {
        let names: Vec<&str> = key.split('|').collect();
        let mut values = Vec::new();
        gather(&report, false, &names, &mut values);
        if !values.is_empty() {
            found.push(Numbers {
                name: names[0].to_owned(),
                kind: Kind::Report,
                shape: vec![values.len()],
                values,
            });
        }
    }
    Ok(found)
}

fn gather(value: &Value, is_of_key: bool, names: &[&str], values: &mut Vec<f64>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields.iter().filter(|(name, _)| !is_time(name)) {
                // What is below a chosen key counts: a mean with its interval, losses by name.
                let is_chosen = names.contains(&name.as_str());
                gather(value, is_of_key || is_chosen, names, values);
            }
        }
        Value::Array(items) => {
            for item in items {
                gather(item, is_of_key, names, values);
            }
        }
        Value::Number(number) if is_of_key => values.extend(number.as_f64()),
        Value::Bool(flag) if is_of_key => values.push(f64::from(u8::from(*flag))),
        _ => {}
    }
}

/// What a clock or the machine says, which differs from run to run.
fn is_time(name: &str) -> bool {
    name.contains("seconds") || name.contains("timings") || name.contains("memory")
}

#[test]
fn a_key_is_found_wherever_it_stands_and_by_either_name() {
    let keys = ["error_m|target_error_m".to_owned(), "fast".to_owned()];
    let flat = r#"{"clips": [{"target_error_m": 1, "fast": true}, {"target_error_m": 2}]}"#;
    let deep = r#"{"rows": {"error_m": {"mean": 1, "high": 2, "seconds": 3}, "fast": true}}"#;
    let of = |text| {
        let found = numbers(text, &keys).unwrap();
        found
            .into_iter()
            .map(|n| (n.name, n.values))
            .collect::<Vec<_>>()
    };
    let expected = [
        ("error_m".to_owned(), vec![1.0, 2.0]),
        ("fast".to_owned(), vec![1.0]),
    ];
    assert_eq!(of(flat), expected);
    assert_eq!(of(deep), expected);
    assert!(numbers("no report", &keys).is_err());
}

//! Bounds of all numbers and lists of a task, whatever field they are in: the unit at the end of a
//! field's name says what is sensible.

use kinograd_files::{Budget, OverBudget};
use serde::Serialize;
use serde_json::Value;

use super::refuse::refuse;
use crate::Error;

/// Most turns of an angle, degrees.
const MAX_ANGLE_DEG: f64 = 36_000.0;

/// Refuses lists that are too long and numbers that no scene can mean.
pub(crate) fn check(spec: &impl Serialize) -> Result<(), Error> {
    let value = serde_json::to_value(spec).map_err(|error| Error::Internal(error.to_string()))?;
    walk(&value, "", "", Budget::of_process())
}

/// `field`: the name that the value, or the list that it is in, has.
fn walk(value: &Value, path: &str, field: &str, budget: &Budget) -> Result<(), Error> {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let path = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                walk(value, &path, name, budget)?;
            }
        }
        Value::Array(values) => {
            // A drawn line has more points than a scene has goals.
            let is_line = values.first().is_none_or(|first| !first.is_object());
            let most = budget.goals * if is_line { 16 } else { 1 };
            let checked = budget.check("entries", values.len() as u64, most);
            checked.map_err(|error| refuse(path, error.to_string()))?;
            for (index, value) in values.iter().enumerate() {
                walk(value, &format!("{path}[{index}]"), field, budget)?;
            }
        }
        Value::Number(number) => {
            // Any seed will do.
            if let Some(number) = number.as_f64()
                && field != "seed"
            {
                checked(field, number, budget).map_err(|error| named(path, &error))?;
            }
        }
        _ => {}
    }
    Ok(())
}

fn checked(field: &str, number: f64, budget: &Budget) -> Result<(), OverBudget> {
    let unit = field.rsplit('_').next().unwrap_or_default();
    match unit {
        "m" => budget.check_distance("", number),
        "mps" => budget.check_speed("", number),
        // Where in the clip a time may lie is checked with the goal.
        "secs" => budget.check_within("", number, *budget.secs.end(), " seconds"),
        "deg" => budget.check_within("", number, MAX_ANGLE_DEG, " degrees"),
        _ => budget.check_weight("", number),
    }
}

fn named(path: &str, error: &OverBudget) -> Error {
    let message = error.to_string();
    refuse(path, message.trim_start_matches(": "))
}

#[cfg(test)]
mod tests {
    use super::super::Task;

    fn refused(part: &str) -> String {
        let json =
            format!(r#"{{"duration_secs": 3, "prompts": [{{"text": "a person walks"}}], {part}}}"#);
        Task::from_json(&json).unwrap_err().to_string()
    }

    #[test]
    fn numbers_that_no_scene_can_mean_are_refused_by_their_field() {
        for (part, expected) in [
            (
                r#""goals": [{"kind": "speed", "speed_mps": 2147483648.0}]"#,
                "goals[0].speed_mps: 2147483648; -100 to 100 metres per second is taken",
            ),
            (
                r#""goals": [{"kind": "facing", "heading_deg": 1e300}]"#,
                "goals[0].heading_deg: ",
            ),
            (
                r#""goals": [{"kind": "ground", "weight": 1e300}]"#,
                "goals[0].weight: ",
            ),
            (
                r#""obstacles": [{"shape": {"kind": "circle", "center_m": [3, 1e38], "radius_m": 1}}]"#,
                "obstacles[0].shape.center_m[1]: ",
            ),
            (
                r#""goals": [{"kind": "root_target", "position_m": [0.5, 1000000]}]"#,
                "goals[0].position_m[1]: 1000000; -10000 to 10000 metres is taken",
            ),
        ] {
            let message = refused(part);
            assert!(message.starts_with(expected), "{message}");
        }
    }

    #[test]
    fn long_lists_are_refused_by_their_field() {
        let listed = |entry: &str, count: usize| vec![entry; count].join(", ");
        let obstacle = r#"{"shape": {"kind": "circle", "center_m": [3, 3], "radius_m": 0.1}}"#;
        let obstacles = format!(r#""obstacles": [{}]"#, listed(obstacle, 5_000));
        let message = refused(&obstacles);
        assert!(
            message.starts_with("obstacles: entries: 5000, at most 256 are taken (--budget 20"),
            "{message}"
        );
        let point = r#"{"position_m": [0, 1]}"#;
        let points = listed(point, 20_000);
        let goal = format!(r#""goals": [{{"kind": "waypoints", "points": [{points}]}}]"#);
        let message = refused(&goal);
        assert!(
            message.starts_with("goals[0].points: entries: 20000"),
            "{message}"
        );
    }
}

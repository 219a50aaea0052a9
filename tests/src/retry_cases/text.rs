//! The file's layout: a field of a case a line, so that a change of a rule reads well as a difference.

use serde_json::Value;

use super::Case;

/// The cases as the text of the file.
pub(super) fn document(cases: &[Case]) -> String {
    let mut text = String::from("{\n  \"format\": 1,\n  \"cases\": [\n");
    for (at, case) in cases.iter().enumerate() {
        text.push_str("    {\n");
        let mut line = |name: &str, value: &Value, is_last: bool| {
            let comma = if is_last { "" } else { "," };
            text.push_str(&format!("      \"{name}\": {}{comma}\n", written(value)));
        };
        line("id", &case.id.as_str().into(), false);
        line("group", &case.group.into(), false);
        line("rows", &case.rows.clone().into(), false);
        line("why", &case.why.as_str().into(), false);
        line("call", &case.call, false);
        line("given", &case.given, false);
        line("instructions", &case.instructions.clone().into(), false);
        line("expect", &case.expect, false);
        match case.only_simulated {
            Some(reason) => {
                line("by", &vec!["simulated"].into(), false);
                line("because", &reason.into(), true);
            }
            None => line("by", &vec!["simulated", "tcp"].into(), true),
        }
        text.push_str(if at + 1 == cases.len() { "    }\n" } else { "    },\n" });
    }
    text.push_str("  ]\n}\n");
    text
}

/// On one line, with names in the order of the alphabet, whatever features `serde_json` is built with.
fn written(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(written).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            let name = |name: &str| Value::from(name).to_string();
            let members = members.iter().map(|(key, value)| format!("{}: {}", name(key), written(value)));
            let members: Vec<_> = members.collect();
            format!("{{{}}}", members.join(", "))
        }
        plain => plain.to_string(),
    }
}

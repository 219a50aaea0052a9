//! Cases of retrying as data: an operation, what the server does to its requests, and what must come of it.
//!
//! [`document`] makes them from the rules and knows nothing of the crates that are tested; the file
//! `conformance/oss-retry-conformance.json` is what it gives. [`play`] runs a case of that file on any
//! driver of the conformance suite.

mod bodies;
mod calls;
mod groups;
mod instructions;
mod outcome;
pub mod play;
mod rules;
mod script;
mod special;
mod text;

use serde_json::{Value, json};

use calls::Call;
use instructions::Instruction;
use rules::{Expected, Given, expect};

/// The whole file.
pub fn document() -> String {
    text::document(&cases())
}

/// The cases in their order.
fn cases() -> Vec<Case> {
    let mut all = groups::cases();
    all.extend(special::cases());
    all.extend(bodies::cases());
    all
}

/// One case, as it is written.
struct Case {
    id: String,
    group: &'static str,
    rows: Vec<&'static str>,
    why: String,
    call: Value,
    given: Value,
    instructions: Vec<Value>,
    expect: Value,
    /// Why it cannot be shown over TCP.
    only_simulated: Option<&'static str>,
}

impl Case {
    /// The case whose expectation follows from the rules.
    fn new(group: &'static str, name: &str, call: &Call, given: &Given, script: &[Instruction]) -> Self {
        let expected = expect(call, given, script);
        let mut rows: Vec<&str> =
            script.iter().flat_map(|instruction| instruction.does.rows()).copied().collect();
        if script.iter().any(|instruction| instruction.does.leaves_doubt()) {
            rows.extend(call.doubt_rows);
        }
        let id = format!("{group}/{}/{name}", call.name);
        Self {
            id,
            group,
            rows,
            why: why(call, script, &expected),
            call: call.json.clone(),
            given: given_json(call, given),
            instructions: script.iter().map(Instruction::json).collect(),
            expect: expect_json(call, &expected),
            only_simulated: None,
        }
        .sorted()
    }

    fn sorted(mut self) -> Self {
        self.rows.sort_unstable();
        self.rows.dedup();
        self
    }

    fn row(mut self, row: &'static str) -> Self {
        self.rows.push(row);
        self.sorted()
    }

    fn why(mut self, why: impl Into<String>) -> Self {
        self.why = why.into();
        self
    }

    fn only_simulated(mut self, reason: &'static str) -> Self {
        self.only_simulated = Some(reason);
        self
    }
}

fn given_json(call: &Call, given: &Given) -> Value {
    let mut json = json!({
        "attempts": given.attempts,
        "base_delay_ms": given.base_ms,
        "max_delay_ms": given.cap_ms,
        "holds": holds_json(&call.before, 0, &call.before),
    });
    let mut set = |name: &str, value: Value| json[name] = value;
    if given.is_versioned {
        set("versioned", true.into());
    }
    if given.is_renewable {
        set("credentials", "renewable".into());
    }
    if given.is_refusing {
        set("connections", "refused".into());
    }
    if given.is_stale {
        set("connections", "stale".into());
    }
    if let Some(silence) = given.silence_ms {
        set("silence_ms", silence.into());
    }
    if let Some(deadline) = given.deadline_ms {
        set("deadline_ms", deadline.into());
    }
    if given.clock_ahead_secs != 0 {
        set("server_clock_ahead_s", given.clock_ahead_secs.into());
    }
    json
}

/// What is there before anything happened, or after so many effects.
fn holds_json(before: &calls::Holds, effects: u32, after: &calls::Holds) -> Value {
    let holds = if effects > 0 { after } else { before };
    let objects = holds.objects.iter().map(|(key, content)| ((*key).to_owned(), json!(content)));
    let mut json = json!({"objects": Value::Object(objects.collect())});
    if before.is_archived {
        json["archived"] = true.into();
    }
    json["uploads"] = holds.uploads.into();
    json
}

fn expect_json(call: &Call, expected: &Expected) -> Value {
    let mut holds = holds_json(&call.before, expected.effects, &call.after);
    if call.name == "initiate" {
        holds["uploads"] = expected.effects.into();
    }
    let mut json = json!({"requests": expected.requests, "holds": holds});
    let waits: Vec<_> = expected.waits.iter().map(|(least, most)| json!([least, most])).collect();
    json["waits_ms"] = waits.into();
    match &expected.result {
        Ok(()) => {
            json["result"] = "ok".into();
            if let Some(body) = call.body {
                json["body"] = body.into();
            }
        }
        Err((kind, outcome)) => json["error"] = error_json(kind, *outcome),
    }
    if expected.is_spent {
        json["error"]["body_is_spent"] = true.into();
    }
    json
}

fn error_json(kind: &rules::Kind, outcome: rules::Outcome) -> Value {
    let mut error = json!({"kind": kind.word(), "outcome": outcome.word()});
    if let rules::Kind::Service(status, code) = kind {
        error["status"] = (*status).into();
        if !code.is_empty() {
            error["code"] = (*code).into();
        }
    }
    error
}

/// What happens and what must come of it, as a sentence.
fn why(call: &Call, script: &[Instruction], expected: &Expected) -> String {
    let happens: Vec<_> = script.iter().map(|instruction| instruction.does.words()).collect();
    let happens = match happens.len() {
        0 => "meets no fault".to_owned(),
        _ => happens.join(", then "),
    };
    format!("{} {happens}: {}.", call.words, outcome::words(call, expected))
}

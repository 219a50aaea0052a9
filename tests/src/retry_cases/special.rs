//! What one kind of fault, or of precondition, has to itself.

use serde_json::json;

use super::Case;
use super::calls::{self, Call};
use super::groups::SILENCE_MS;
use super::instructions::{Does, Instruction};
use super::rules::{Given, Kind, Outcome};

pub(super) fn cases() -> Vec<Case> {
    let groups = [
        final_answers,
        redirects,
        hidden_errors,
        callbacks,
        damage,
        credentials,
        clocks,
        connections,
        early,
        versions,
        retry_after,
        deadlines,
        backoff,
        looks,
        sources,
    ];
    groups.into_iter().flat_map(|group| group()).collect()
}

fn by_name(names: &[&str]) -> Vec<Call> {
    let mut all = calls::reads();
    all.extend(calls::overwrites());
    all.push(calls::read_once());
    all.extend(calls::conditional());
    all.push(calls::initiate());
    all.extend(calls::once());
    all.into_iter().filter(|call| names.contains(&call.name)).collect()
}

/// F25, F26: what waiting does not mend.
fn final_answers() -> Vec<Case> {
    let refusals = [
        (400, "InvalidArgument"),
        (400, "BadRequest"),
        (401, "Unauthorized"),
        (403, "SignatureDoesNotMatch"),
        (403, ""),
        (404, "NoSuchBucket"),
        (404, "NoSuchKey"),
        (405, "MethodNotAllowed"),
        (409, "OperationConflict"),
        (409, "ObjectNotAppendable"),
        (411, "MissingContentLength"),
        (412, "PreconditionFailed"),
        (416, "InvalidRange"),
        (501, "NotImplemented"),
    ];
    let mut all = Vec::new();
    for call in by_name(&["get", "put", "worm"]) {
        for (status, code) in refusals {
            let does = Does::Answer(status, code);
            all.push(Case::new("final", &does.name(), &call, &Given::default(), &[does.into()]));
        }
    }
    all
}

/// F46: nothing is followed, and nothing is said to another host.
fn redirects() -> Vec<Case> {
    let mut all = Vec::new();
    for call in by_name(&["get", "put"]) {
        for status in [301, 302, 308] {
            let does = Does::Answer(status, "");
            all.push(Case::new("redirect", &does.name(), &call, &Given::default(), &[does.into()]));
        }
    }
    all
}

/// F27: the status says yes, the body says no.
fn hidden_errors() -> Vec<Case> {
    let mut all = Vec::new();
    for call in by_name(&["copy", "delete-many", "complete", "complete-known"]) {
        for code in ["InternalError", "SlowDown", "AccessDenied"] {
            let does = Does::Under200(code);
            all.push(Case::new("hidden", &does.name(), &call, &Given::default(), &[does.into()]));
        }
    }
    all
}

/// F28: stored, and not to be stored again.
fn callbacks() -> Vec<Case> {
    let does = Does::CallbackFails;
    let call = calls::notified();
    let slow = Does::Answer(503, "SlowDown");
    vec![
        Case::new("callback", &does.name(), &call, &Given::default(), &[does.into()]),
        Case::new("callback", "after-a-refusal", &call, &Given::default(), &[slow.into(), does.into()]),
    ]
}

/// F42: the server says what it received, and it is not what was sent.
fn damage() -> Vec<Case> {
    let mut all = Vec::new();
    for call in by_name(&["put", "put-stream", "put-once", "part", "put-new", "append", "put-callback"]) {
        for times in [1, 3] {
            let given = Given::default();
            let script: Vec<Instruction> = vec![Does::Damage.into(); times];
            let used = super::expect(&call, &given, &script).requests.len();
            if used == times || times == 1 {
                let name = format!("damaged-{times}-times");
                all.push(Case::new("damage", &name, &call, &given, &script[..used.min(times)]));
            }
        }
    }
    all
}

/// F24: one renewal, whatever the number of attempts.
fn credentials() -> Vec<Case> {
    let mut all = Vec::new();
    for call in by_name(&["get", "put", "append", "worm", "put-stream"]) {
        for code in ["InvalidAccessKeyId", "SecurityTokenExpired"] {
            let refused = Instruction::from(Does::Answer(403, code));
            let renewable = Given { is_renewable: true, ..Given::default() };
            let once = Given { attempts: 1, ..renewable.clone() };
            for (name, given, script) in [
                ("renewed", &renewable, vec![refused.clone()]),
                ("renewed-in-vain", &renewable, vec![refused.clone(), refused.clone()]),
                ("renewed-with-one-attempt", &once, vec![refused.clone()]),
                ("no-others", &Given::default(), vec![refused.clone()]),
            ] {
                all.push(Case::new("credentials", &format!("{code}-{name}"), &call, given, &script));
            }
        }
    }
    all
}

/// F21, F22: one correction, by the server's own time, whatever the number of attempts.
fn clocks() -> Vec<Case> {
    let mut all = Vec::new();
    for call in by_name(&["get", "put", "append", "worm"]) {
        for (name, ahead, attempts) in
            [("ahead", 3600, 3), ("behind", -3600, 3), ("ahead-with-one-attempt", 3600, 1)]
        {
            let given = Given { clock_ahead_secs: ahead, attempts, ..Given::default() };
            all.push(Case::new("clock", name, &call, &given, &[]).row("F21"));
        }
        let untold = Does::Answer(403, "RequestTimeTooSkewed");
        let case = Case::new("clock", "no-time-told", &call, &Given::default(), &[untold.into()]);
        all.push(case.why(format!("{} is refused for its time, by an answer without a time.", call.words)));
    }
    let given = Given { clock_ahead_secs: 3600, ..Given::default() };
    for call in by_name(&["initiate", "put"]) {
        // What was lost did not tell the time.
        let case = Case::new("clock", "ahead-after-a-loss", &call, &given, &[Does::Close(0).into()]);
        all.push(case.row("F21"));
    }
    all
}

/// F02, F06: what never left may be sent again, whatever it is.
fn connections() -> Vec<Case> {
    let mut all = Vec::new();
    for call in by_name(&["get", "put", "put-once", "put-new", "append", "initiate", "worm", "put-callback"])
    {
        for attempts in [1, 3] {
            let refusing = Given { is_refusing: true, attempts, ..Given::default() };
            let name = format!("refused-{attempts}-attempts");
            let case = Case::new("connection", &name, &call, &refusing, &[]).row("F02");
            all.push(case.why(format!("{}, and nobody listens: nothing of it is sent.", call.words)));
            let stale = Given { is_stale: true, attempts, ..Given::default() };
            let name = format!("stale-{attempts}-attempts");
            let case = Case::new("connection", &name, &call, &stale, &[]).row("F06");
            let why = "on a kept connection that the server has closed: it goes on another, once";
            all.push(case.why(format!("{} {why}.", call.words)));
        }
    }
    all
}

/// F11: the answer counts, not that the body could not be sent.
fn early() -> Vec<Case> {
    let mut all = Vec::new();
    for call in by_name(&["put", "put-stream", "part", "put-new", "append", "worm"]) {
        for (status, code) in [(403, "AccessDenied"), (503, "SlowDown")] {
            let does = Does::Early(0, status, code);
            all.push(Case::new("early", &does.name(), &call, &Given::default(), &[does.into()]));
        }
    }
    all
}

/// F55, F62: in a bucket with versions a second arrival is a second version.
fn versions() -> Vec<Case> {
    let mut all = Vec::new();
    let given = Given { is_versioned: true, ..Given::default() };
    for call in by_name(&["put", "delete"]) {
        for does in
            [Does::Serve, Does::Answer(503, "SlowDown"), Does::Answer(500, ""), Does::Lose, Does::Close(0)]
        {
            let name = format!("versioned-{}", does.name());
            all.push(Case::new("versions", &name, &call, &given, &[does.into()]).row("F55"));
        }
    }
    all
}

/// F19, F20: the server's wish counts, within limits.
fn retry_after() -> Vec<Case> {
    let slow = |text, understood| Instruction {
        does: Does::Answer(503, "SlowDown"),
        retry_after: Some((text, understood)),
    };
    let mut all = Vec::new();
    for call in by_name(&["get", "put", "worm"]) {
        let given = Given::default();
        let one = Case::new("retry-after", "1", &call, &given, &[slow("1", Some(1000))]);
        all.push(
            one.row("F20").why(format!("{} is asked to come back after a second, and does.", call.words)),
        );
    }
    for call in by_name(&["get"]) {
        for text in ["0", "-1", "1.5", "soon", "", "100000000000000000000", "Sat, 16 Dec 2023 16:20:50 GMT"] {
            let name = format!("{text:?}").replace([' ', ',', ':', '"'], "_");
            let case = Case::new("retry-after", &name, &call, &Given::default(), &[slow(text, None)]);
            let why = format!("A Retry-After of {text:?} says nothing: the backoff counts alone.");
            all.push(case.row("F20").why(why));
        }
        let hour =
            Case::new("retry-after", "3600", &call, &Given::default(), &[slow("3600", Some(3_600_000))]);
        let why = "No server holds a client for an hour: five seconds beyond the backoff at most.";
        all.push(hour.row("F20").why(why).only_simulated(SLOW));
        let given = Given { deadline_ms: Some(2_000), ..Given::default() };
        let late =
            Case::new("retry-after", "beyond-the-deadline", &call, &given, &[slow("60", Some(60_000))]);
        all.push(
            late.row("F71").why("The wait would outlast the call, so it fails at once and does not wait."),
        );
    }
    all
}

/// F15, F16: a call ends when its own time does.
fn deadlines() -> Vec<Case> {
    let mut all = Vec::new();
    for call in by_name(&["get", "list", "put", "put-new", "append", "initiate", "worm"]) {
        let given = Given { deadline_ms: Some(300), ..Given::default() };
        let case = Case::new("deadline", "silence", &call, &given, &[Does::Silence.into()]);
        all.push(case.why(format!("{} gets no answer until its own time is over.", call.words)));
        let given = Given { attempts: 2, silence_ms: Some(SILENCE_MS), ..Given::default() };
        let script = [Does::Silence.into(), Does::Silence.into()];
        let used = super::expect(&call, &given, &script).requests.len();
        all.push(Case::new("deadline", "silence-twice", &call, &given, &script[..used.min(2)]));
    }
    all
}

/// The waits themselves, with the delays that clients have by default.
fn backoff() -> Vec<Case> {
    let mut all = Vec::new();
    let call = by_name(&["get"]).remove(0);
    for does in [Does::Answer(503, "SlowDown"), Does::Answer(500, ""), Does::Lose] {
        for (base_ms, cap_ms) in [(200, 20_000), (50, 300), (2_000, 20_000)] {
            let given = Given { attempts: 9, base_ms, cap_ms, ..Given::default() };
            let script: Vec<Instruction> = vec![does.into(); 8];
            let name = format!("{}-base-{base_ms}-cap-{cap_ms}", does.name());
            let case = Case::new("backoff", &name, &call, &given, &script);
            let why =
                "Each wait is drawn from [0, min(2^n x base, cap)), where n counts the attempts so far.";
            all.push(case.row("F68").why(why).only_simulated(SLOW));
        }
    }
    all
}

/// F60, F61: looks that fail, or find something else.
fn looks() -> Vec<Case> {
    let slow = Does::Answer(503, "SlowDown");
    let scripts: [(&str, &[Does]); 7] = [
        ("fails-once", &[Does::Lose, Does::Answer(500, "")]),
        ("fails-for-good", &[Does::Lose, Does::Answer(403, "AccessDenied")]),
        ("fails-for-ever", &[Does::Lose, slow, slow, slow]),
        ("misled", &[Does::Lose, Does::Answer(404, "NoSuchKey")]),
        ("misled-twice", &[Does::Lose, Does::Answer(404, ""), Does::Serve, Does::Answer(404, "")]),
        ("after-each-loss", &[Does::Close(0), Does::Serve, Does::Close(0)]),
        ("after-a-refusal", &[slow, Does::Lose]),
    ];
    let mut all = Vec::new();
    for call in by_name(&["put-new", "put-taken"]) {
        for (name, script) in scripts {
            let script: Vec<Instruction> = script.iter().map(|does| (*does).into()).collect();
            let used = super::expect(&call, &Given::default(), &script).requests.len();
            let script = &script[..used.min(script.len())];
            all.push(Case::new("look", name, &call, &Given::default(), script));
        }
        let name = "on-a-connection-that-closes";
        let script = [Does::Close(0).into(), Does::ServeAndClose.into()];
        let case = Case::new("look", name, &call, &Given::default(), &script);
        all.push(case.only_simulated(RACE));
        let given = Given { is_renewable: true, ..Given::default() };
        let refused = Does::Answer(403, "SecurityTokenExpired").into();
        let script = [Does::Close(0).into(), Does::Serve.into(), refused, Does::Close(0).into()];
        all.push(Case::new("look", "then-credentials-are-renewed", &call, &given, &script));
    }
    all.extend(last_looks());
    all
}

/// F58: a completion whose upload may be there still is looked at when no attempt is left.
fn last_looks() -> Vec<Case> {
    let lost = [Does::Lose; 3];
    let unmade = [Does::Close(0); 3];
    let scripts: [(&str, &[Does]); 6] = [
        ("last", &lost),
        ("last-in-vain", &unmade),
        ("last-fails", &[Does::Lose, Does::Lose, Does::Lose, Does::Answer(500, "")]),
        ("last-is-refused", &[Does::Lose, Does::Lose, Does::Lose, Does::Answer(403, "AccessDenied")]),
        ("last-after-a-late-refusal", &[Does::Lose, Does::Lose, Does::Serve]),
        ("last-after-throttling", &[Does::Lose, Does::Lose, Does::Answer(503, "SlowDown")]),
    ];
    let mut all = Vec::new();
    for call in by_name(&["complete", "complete-known"]) {
        for (name, script) in scripts {
            let script: Vec<Instruction> = script.iter().map(|does| (*does).into()).collect();
            let used = super::expect(&call, &Given::default(), &script).requests.len();
            let script = &script[..used.min(script.len())];
            all.push(Case::new("look", name, &call, &Given::default(), script));
        }
    }
    for attempts in [1, 2] {
        let given = Given { attempts, ..Given::default() };
        let script = vec![Does::Lose.into(); attempts as usize];
        let name = format!("last-of-{attempts}");
        all.push(Case::new("look", &name, &by_name(&["complete-known"]).remove(0), &given, &script));
    }
    all
}

/// F09: a body that breaks at its source is the caller's affair.
fn sources() -> Vec<Case> {
    let mut all = Vec::new();
    for call in [calls::reopened(), calls::read_once()] {
        for after in [0, 3] {
            let mut case =
                Case::new("source", &format!("fails-after-{after}"), &call, &Given::default(), &[])
                    .row("F09");
            case.call["body_fails_after"] = after.into();
            let holds = json!({"objects": {}, "uploads": 0});
            let error = super::error_json(&Kind::Body, Outcome::Rejected);
            case.expect = json!({"requests": ["call"], "error": error, "holds": holds, "waits_ms": []});
            let why = format!(
                "The source of the body fails after {after} bytes: nothing is stored, nothing is repeated."
            );
            all.push(case.why(why).only_simulated(BROKEN));
        }
    }
    all
}

const SLOW: &str = "it takes too long by a real clock";
const RACE: &str = "over TCP it is chance whether a client sees the close before it writes";
const BROKEN: &str =
    "what a server sees of a request that its client breaks off depends on the sockets between them";

//! Our side of the interoperability tests: a client that a script of another language drives.
//!
//! It starts an emulator server and prints a greeting, one JSON object on a line: the endpoint, the region
//! and the access keys. Then it makes the call that each line on standard input names, and answers it:
//!
//! ```text
//! {"op": "HeadObject", "as": "main", "args": {"bucket": "b", "key": "a b"}}
//! {"status": 200, "headers": {…}, "fields": {"ETag": ["<v>&quot;…&quot;</v>"], …}}
//! {"error": {"status": 404, "code": "NoSuchKey", …}, "text": "HeadObject at …: no such key …"}
//! ```
//!
//! Arguments are the fields of the operation, as text in the form of the wire. With `"presign": 900` the
//! answer is a URL of that many seconds, and nothing is sent.

extern crate alloc;

mod calls;
mod fields;

use alloc::collections::BTreeMap;
use core::error::Error;
use core::time::Duration;
use std::io::{self, BufRead as _, Write as _};
use std::time::SystemTime;

use oss_emulator_server::{Callback, CallbackOutcome, Config, Server};
use oss_hyper::{Client, Credentials, Endpoint, Region, Service, Transport};
use serde_json::{Value, json};

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let server = runtime.block_on(Server::start(config()?))?;
    let clients = clients(&server.endpoint())?;
    say(&greeting(&server.endpoint()))?;
    for line in io::stdin().lock().lines() {
        let request: Value = serde_json::from_str(&line?)?;
        let name = request["as"].as_str().unwrap_or("main");
        let client = clients.get(name).ok_or_else(|| format!("there is no client {name:?}"))?;
        let answer = runtime.block_on(calls::call(client, &request));
        say(&answer.unwrap_or_else(|failure| json!({ "failure": failure })))?;
    }
    Ok(())
}

fn config() -> Result<Config, Box<dyn Error>> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    Ok(Config::new(REGION)
        .with_access_key(ID, SECRET)
        .with_temporary_key(STS_ID, STS_SECRET, STS_TOKEN, now + Duration::from_secs(3600))
        .with_temporary_key(OLD_ID, OLD_SECRET, OLD_TOKEN, now - Duration::from_secs(3600))
        .with_role(ROLE)
        .with_oidc_token(OIDC_PROVIDER, OIDC_TOKEN, now + Duration::from_secs(3600))
        .with_oidc_token(OIDC_PROVIDER, OLD_OIDC_TOKEN, now)
        .with_ecs_role(ECS_ROLE)
        .with_credentials_uri(CREDENTIALS_PATH)
        .with_callback(called_back))
}

/// The application behind upload callbacks: it repeats what it was told.
fn called_back(callback: &Callback) -> CallbackOutcome {
    if callback.url.contains("out-of-order") {
        return CallbackOutcome::Failed("the application is out of order".to_owned());
    }
    CallbackOutcome::Answered(json!({ "url": callback.url, "told": callback.body }).to_string())
}

/// The identities that calls are made as: all of them over the same connections.
fn clients(endpoint: &str) -> Result<BTreeMap<&'static str, Client>, Box<dyn Error>> {
    let service = Service::new(Endpoint::parse(endpoint)?).with_region(Region::parse(REGION)?);
    let transport = Transport::new();
    let identities = [
        ("main", Credentials::new(ID, SECRET)?),
        ("token", Credentials::new(STS_ID, STS_SECRET)?.with_token(STS_TOKEN)?),
        ("expired", Credentials::new(OLD_ID, OLD_SECRET)?.with_token(OLD_TOKEN)?),
        ("wrong-secret", Credentials::new(ID, "not-the-secret")?),
        ("unknown-id", Credentials::new("nobody", SECRET)?),
        ("anonymous", Credentials::anonymous()),
    ];
    let client = |credentials: Credentials| {
        Client::new(service.clone(), credentials).with_transport(transport.clone())
    };
    Ok(identities.into_iter().map(|(name, credentials)| (name, client(credentials))).collect())
}

fn greeting(endpoint: &str) -> Value {
    json!({
        "endpoint": endpoint,
        "region": REGION,
        "identities": {
            "main": { "id": ID, "secret": SECRET },
            "token": { "id": STS_ID, "secret": STS_SECRET, "token": STS_TOKEN },
            "expired": { "id": OLD_ID, "secret": OLD_SECRET, "token": OLD_TOKEN },
            "wrong-secret": { "id": ID, "secret": "not-the-secret" },
            "unknown-id": { "id": "nobody", "secret": SECRET },
        },
        "role": ROLE,
        "oidc": { "provider": OIDC_PROVIDER, "token": OIDC_TOKEN, "expired": OLD_OIDC_TOKEN },
        "ecs_role": ECS_ROLE,
        "credentials_path": CREDENTIALS_PATH,
    })
}

fn say(answer: &Value) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{answer}")?;
    out.flush()
}

const REGION: &str = "cn-hangzhou";
const ID: &str = "interop-id";
const SECRET: &str = "interop-secret";
const STS_ID: &str = "STS.interop-id";
const STS_SECRET: &str = "interop-temporary-secret";
const STS_TOKEN: &str = "interop/token+with=signs";
const OLD_ID: &str = "STS.interop-old";
const OLD_SECRET: &str = "interop-old-secret";
const OLD_TOKEN: &str = "interop-old-token";
const ROLE: &str = "acs:ram::1234567890123456:role/interop";
const OIDC_PROVIDER: &str = "acs:ram::1234567890123456:oidc-provider/interop";
const OIDC_TOKEN: &str = "eyJhbGciOiJub25lIn0.interop.token";
const OLD_OIDC_TOKEN: &str = "eyJhbGciOiJub25lIn0.interop.old";
const ECS_ROLE: &str = "interop-instance";
const CREDENTIALS_PATH: &str = "/interop-credentials";

//! The blocking driver answers what each kind of credential source asks.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use core::time::Duration;
use std::time::Instant;

use oss_credentials::{
    CliProfile, CredentialsUri, EcsRole, OidcRole, Process, RamRole, Source, StsEndpoint, StsSignature,
};
use oss_emulator_server::{Config, Server};
use oss_proto::{Credentials, Endpoint, PutObject, Region, Service};
use oss_sim::blocking::Client;

const ROLE: &str = "acs:ram::1234567890123456:role/writer";
const PROVIDER: &str = "acs:ram::1234567890123456:oidc-provider/ack";
const BUCKET: &str = "examplebucket";

fn server() -> Server {
    let config = Config::new("cn-hangzhou")
        .with_access_key("id", "secret")
        .with_role(ROLE)
        .with_oidc_token(PROVIDER, "a-token", Duration::from_secs(1 << 37))
        .with_ecs_role("writer")
        .with_credentials_uri("/credentials");
    let server = Server::start_on_thread(config).unwrap();
    server.create_bucket(BUCKET);
    server
}

/// Puts an object with these credentials; what was tried for them, or why not.
fn put(server: &Server, source: impl Into<Source>) -> Result<String, String> {
    let service = Service::new(Endpoint::parse(&server.endpoint()).unwrap());
    let client = Client::new(service.with_region(Region::parse("cn-hangzhou").unwrap()), source);
    let put = client.call(&PutObject::new(BUCKET, "key", "hello"));
    put.map(|_| client.explain().to_string()).map_err(|error| error.to_string())
}

#[test]
fn every_kind_of_question_is_answered() {
    let server = server();
    let address = server.address().to_string();
    let sts = || StsEndpoint::InsecureHttp(address.clone());
    let file = std::env::temp_dir().join(format!("oss-sim-{}-credentials", std::process::id()));
    let path = file.to_str().unwrap();
    let key = Credentials::new("id", "secret").unwrap();
    let printed = r#"{"AccessKeyId":"id","AccessKeySecret":"secret"}"#;
    let sources: [Source; 5] = [
        EcsRole::new().endpoint(&address).into(),
        CredentialsUri::new(format!("http://{address}/credentials")).into(),
        Process::new("printf").argument("%s").argument(printed).into(),
        RamRole::new(ROLE).assumed_by(key).endpoint(sts()).signature(StsSignature::Acs3).into(),
        OidcRole::new(ROLE, PROVIDER, path).endpoint(sts()).into(),
    ];
    std::fs::write(&file, "a-token").unwrap();
    for source in sources {
        let told = put(&server, source).unwrap();
        assert!(told.ends_with(": gave credentials\n"), "{told}");
    }
    let profile = r#"{"current":"a","profiles":[
        {"name":"a","mode":"AK","access_key_id":"id","access_key_secret":"secret"}]}"#;
    std::fs::write(&file, profile).unwrap();
    put(&server, CliProfile::new().file(path)).unwrap();
    std::fs::remove_file(&file).unwrap();
}

#[test]
fn b64_what_fails_is_told_without_a_secret() {
    let server = server();
    let shell = |script: &str| Process::new("/bin/sh").argument("-c").argument(script);
    let table: [(Source, &str); 7] = [
        (shell("echo hidden >&2; exit 3").into(), "ended with an error"),
        (shell("yes hidden").into(), "is too long"),
        (Process::new("/no/such/program").into(), "/no/such/program"),
        (CredentialsUri::new("http://127.0.0.1:1/hidden").into(), "the credentials URI"),
        (CredentialsUri::new("https://127.0.0.1:1/hidden").into(), "plain HTTP"),
        (CliProfile::new().file("/no/such/file").into(), "is named, and is not there"),
        (OidcRole::new(ROLE, PROVIDER, "/").into(), "not a file"),
    ];
    for (source, reason) in table {
        let began = Instant::now();
        let error = put(&server, source).unwrap_err();
        assert!(error.contains(reason) && !error.contains("hidden"), "{error}");
        assert!(began.elapsed() < Duration::from_secs(10), "{error}");
    }
}

//! How the server is started and stopped: as a task, over a stream in memory, and as a command.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::io::{BufRead as _, BufReader};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use common::{Answer, BUCKET, Client, ID, SECRET, object};
use oss_emulator_server::{Config, Handle, Server};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
use tokio::runtime::Runtime;

#[test]
fn a_task_of_the_callers_runtime() {
    Runtime::new().unwrap().block_on(async {
        let config =
            Config::new("cn-hangzhou").with_access_key(ID, SECRET).with_endpoint("http://oss.example");
        let server = Server::start(config).await.unwrap();
        server.create_bucket(BUCKET);
        let client = Client { address: server.address(), now: server.now().as_secs() };
        let copy = client.clone();
        let listed = tokio::task::spawn_blocking(move || copy.send("GET", "/", &[], &[], b"")).await.unwrap();
        assert_eq!(listed.element("ExtranetEndpoint"), "http://oss.example");
        assert_eq!(server.endpoint(), format!("http://{}", server.address()));
        let taken = Server::bind(server.address(), Config::new("cn-hangzhou")).await;
        assert!(taken.is_err());
        server.shutdown().await;
        assert!(TcpStream::connect(client.address).is_err());
    });
}

#[test]
fn a_connection_in_memory() {
    Runtime::new().unwrap().block_on(async {
        let handle = Handle::new(Config::new("cn-hangzhou").with_access_key(ID, SECRET));
        handle.create_bucket(BUCKET);
        let client = Client { address: ([127, 0, 0, 1], 1).into(), now: handle.now().as_secs() };
        // A pipe of seven bytes: every head and body comes and goes in pieces.
        let (mut near, far) = duplex(7);
        let served = handle.clone();
        let serving = tokio::spawn(async move { served.serve_connection(far).await });
        let head = client.signed_head("PUT", &object("k"), &[], &[("Content-Length", "11")]);
        near.write_all(&[head.as_bytes(), b"hello world"].concat()).await.unwrap();
        let mut answer = Vec::new();
        near.read_to_end(&mut answer).await.unwrap();
        assert_eq!(Answer::read(&answer).status, 200);
        serving.await.unwrap().unwrap();
        let size = handle.with(|emulator| emulator.object(BUCKET, "k").unwrap().size());
        assert_eq!(size, 11);
    });
}

#[test]
fn the_command_prints_what_a_client_needs() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oss-emulator"));
    let flags = ["--port", "0", "--access-key-id", ID, "--access-key-secret", SECRET, "--bucket", BUCKET];
    let mut child = command.args(flags).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let lines: Vec<String> = lines.take(6).collect();
    let endpoint = lines.iter().find_map(|line| line.strip_prefix("export OSS_ENDPOINT=http://")).unwrap();
    let now = Handle::new(Config::new("cn-hangzhou")).now().as_secs();
    let client = Client { address: endpoint.parse().unwrap(), now };
    assert_eq!(client.put("k", &[], b"x").status, 200);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(lines.contains(&format!("export OSS_ACCESS_KEY_SECRET={SECRET}")), "{lines:?}");
    assert!(lines.contains(&format!("export OSS_BUCKET={BUCKET}")), "{lines:?}");
}

#[test]
fn the_command_plays_what_its_variables_name() {
    let file = concat!(env!("CARGO_TARGET_TMPDIR"), "/oidc-token");
    std::fs::write(file, "a.token.of.a.file\n").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_oss-emulator"));
    let flags =
        ["--port", "0", "--role", "acs:ram::1:role/a", "--credentials-uri", "/c", "--oidc-token-file"];
    let mut child = command.args(flags).arg(file).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let lines: Vec<String> = lines.take(11).collect();
    let variable = |name: &str| {
        let start = format!("export {name}=");
        lines.iter().find_map(|line| line.strip_prefix(&start)).unwrap_or_else(|| panic!("{lines:?}"))
    };
    let address = variable("ALIBABA_CLOUD_STS_ENDPOINT");
    let client = Client { address: address.parse().unwrap(), now: 0 };
    let (role, provider) = (variable("ALIBABA_CLOUD_ROLE_ARN"), variable("ALIBABA_CLOUD_OIDC_PROVIDER_ARN"));
    assert_eq!(variable("ALIBABA_CLOUD_OIDC_TOKEN_FILE"), file);
    assert_eq!(variable("ALIBABA_CLOUD_CREDENTIALS_URI"), format!("http://{address}/c"));
    let target = format!(
        "/?Action=AssumeRoleWithOIDC&Version=2015-04-01&Format=JSON&RoleArn={role}&RoleSessionName=shell\
         &OIDCProviderArn={provider}&OIDCToken=a.token.of.a.file"
    );
    for target in [target.as_str(), "/c"] {
        let answer = client.exchange(client.head("GET", target, &[]).as_bytes());
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert!(answer.json("AccessKeyId").starts_with("STS."), "{}", answer.text());
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn the_command_explains_itself() {
    for (flags, code, part) in [
        (&["--help"][..], 0, "Usage: oss-emulator [FLAG VALUE]..."),
        (&["--version"], 0, "oss-emulator 0."),
        (&["--prot", "1"], 2, "unknown argument \"--prot\": see oss-emulator --help"),
        (&["--host", "192.0.2.1"], 1, "choose another --port"),
        (&["--oidc-token-file", "/nowhere"], 1, "name a file with --oidc-token-file"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_oss-emulator")).args(flags).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8(text).unwrap();
        assert_eq!(output.status.code(), Some(code), "{flags:?}: {text}");
        assert!(text.contains(part), "{flags:?}: {text}");
    }
}

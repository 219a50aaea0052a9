//! An object is written and read with the credentials of each source, over sockets: STS over https under its
//! own host names, the metadata service and the credentials URI of the emulator, files, programs, variables.
#![cfg(all(unix, feature = "rustls"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails stops")]

extern crate alloc;

#[path = "../examples/stage/mod.rs"]
mod stage;

use alloc::sync::Arc;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::time::Duration;
use std::path::PathBuf;

use oss_emulator_server::{Config as EmulatorConfig, MetadataMode, Role};
use oss_hyper::{
    CliProfile, Config, Credentials, CredentialsProvider, CredentialsUri, EcsRole, IniProfile, OidcRole,
    Process, RamRole, Source, StsEndpoint, StsSignature,
};
use stage::{BUCKET, ID, REGION, SECRET, Stage};

const ROLE: &str = "acs:ram::1234567890123456:role/writer";
const OTHER_ROLE: &str = "acs:ram::1234567890123456:role/other";
const GUARDED_ROLE: &str = "acs:ram::1234567890123456:role/guarded";
const PROVIDER: &str = "acs:ram::1234567890123456:oidc-provider/ack";
const TOKEN: &str = "an-oidc-token";
/// A temporary key that the emulator knows from the beginning.
const TEMPORARY: [&str; 3] = ["STS.example", "example-secret", "example-token"];
/// The year 9999.
const FAR: Duration = Duration::from_secs(253_402_300_799);
const HOUR: Duration = Duration::from_secs(3_600);

/// A stage with everything that hands out credentials.
async fn stage() -> Stage {
    stage_with(|config| config).await
}

async fn stage_with(change: impl FnOnce(EmulatorConfig) -> EmulatorConfig) -> Stage {
    let [id, secret, token] = TEMPORARY;
    let config = EmulatorConfig::new(REGION)
        .with_access_key(ID, SECRET)
        .with_temporary_key(id, secret, token, FAR)
        .with_role(Role::new(ROLE).with_session_max(HOUR * 12))
        .with_role(OTHER_ROLE)
        .with_role(Role::new(GUARDED_ROLE).with_external_id("partner-7"))
        .with_oidc_token(PROVIDER, TOKEN, FAR)
        .with_ecs_role("writer")
        .with_credentials_uri("/credentials");
    let stage = Stage::with(change(config), &[]).await.unwrap();
    stage.handle().create_bucket(BUCKET);
    stage
}

fn key() -> Credentials {
    Credentials::new(ID, SECRET).unwrap()
}

/// What came of a write and a read.
#[derive(Debug)]
struct Trip {
    /// Which AccessKey signed for OSS.
    key_id: String,
    /// `method url` of each request that was not one to OSS, and how it was signed.
    asked: Vec<String>,
    told: String,
}

/// Writes an object and reads it back with what the source gives.
async fn trip(stage: &Stage, provider: impl Into<CredentialsProvider>) -> Result<Trip, String> {
    let _before = stage.seen();
    let config = Config::new().region(REGION).credentials_provider(provider);
    let bucket = stage.over(config).bucket(BUCKET).unwrap();
    let result = async {
        bucket.put("key", "hello").await?;
        bucket.get("key").await?.text().await
    };
    let told = bucket.client().account().explain().to_string();
    assert_eq!(told, "no source was asked yet\n");
    match result.await {
        Ok(text) => assert_eq!(text, "hello"),
        Err(error) => return Err(format!("{error}\n{}", bucket.client().account().explain())),
    }
    let told = bucket.client().account().explain().to_string();
    let (mut asked, mut key_ids) = (Vec::new(), Vec::new());
    for seen in stage.seen() {
        let authorization = seen.header("authorization").to_owned();
        match authorization.strip_prefix("OSS4-HMAC-SHA256 Credential=") {
            Some(rest) => key_ids.push(rest.split('/').next().unwrap().to_owned()),
            None => {
                let how = authorization.split(' ').next().unwrap_or_default();
                let url = seen.url();
                let url = url.split('?').next().unwrap_or_default();
                asked.push(format!("{} {url} {how}", seen.head.method).trim_end().to_owned());
            }
        }
    }
    key_ids.dedup();
    let [key_id] = <[String; 1]>::try_from(key_ids).unwrap();
    Ok(Trip { key_id, asked, told })
}

fn asked_sts(host: &str, how: &str) -> Vec<String> {
    vec![format!("POST https://{host}/ {how}").trim_end().to_owned()]
}

/// A folder of this test, removed with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("oss-hyper-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, content: &str) -> String {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn what_the_program_knows() {
    let stage = stage().await;
    let fixed = trip(&stage, key()).await.unwrap();
    assert_eq!((fixed.key_id.as_str(), fixed.asked.len()), (ID, 0));
    assert_eq!(fixed.told, "fixed credentials: gave credentials\n");
    let [id, secret, token] = TEMPORARY;
    let temporary = Credentials::new(id, secret).unwrap().with_token(token).unwrap();
    assert_eq!(trip(&stage, temporary).await.unwrap().key_id, id);
    let custom = CredentialsProvider::from_fn(|| async { Ok::<_, std::io::Error>(Some(key())) });
    assert_eq!(trip(&stage, custom).await.unwrap().told, "custom source 0: gave credentials\n");
}

#[tokio::test]
async fn a_role_by_each_way_to_ask_for_it() {
    let stage = stage().await;
    let role = || RamRole::new(ROLE).assumed_by(key());
    let (central, region) = ("sts.aliyuncs.com", "sts.cn-hangzhou.aliyuncs.com");
    let vpc = "sts-vpc.cn-hangzhou.aliyuncs.com";
    let acs3 = "ACS3-HMAC-SHA256";
    let policy = r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":["oss:*"],"Resource":["*"]}]}"#;
    let table = [
        (role(), asked_sts(central, "")),
        (role().signature(StsSignature::Acs3), asked_sts(central, acs3)),
        (role().endpoint(StsEndpoint::region(REGION)), asked_sts(region, "")),
        (role().endpoint(StsEndpoint::vpc(REGION)).signature(StsSignature::Acs3), asked_sts(vpc, acs3)),
        (role().session_name("nightly@build").duration(HOUR * 12), asked_sts(central, "")),
        (role().policy(policy).source_identity("somebody"), asked_sts(central, "")),
        (RamRole::new(GUARDED_ROLE).assumed_by(key()).external_id("partner-7"), asked_sts(central, "")),
        (
            RamRole::new(GUARDED_ROLE)
                .assumed_by(key())
                .external_id("partner-7")
                .policy(policy)
                .signature(StsSignature::Acs3),
            asked_sts(central, acs3),
        ),
    ];
    for (role, asked) in table {
        let done = trip(&stage, role.clone()).await.unwrap();
        assert_eq!(done.asked, asked, "{role:?}");
        assert!(done.key_id.starts_with("STS."), "{done:?}");
        assert_eq!(done.told, "fixed credentials: gave credentials\nthe RAM role: gave credentials\n");
    }
    let plain = format!("127.0.0.1:{}", stage.address().port());
    let done = trip(&stage, role().endpoint(StsEndpoint::InsecureHttp(plain.clone()))).await.unwrap();
    assert_eq!(done.asked, [format!("POST http://{plain}/")]);
    let other = RamRole::new(GUARDED_ROLE).assumed_by(key()).external_id("partner-8");
    let error = trip(&stage, other).await.unwrap_err();
    assert!(
        error.contains("the RAM role was refused with status 403 (NoPermission): let the caller"),
        "{error}"
    );
    let error = trip(&stage, role().endpoint(StsEndpoint::host("sts.example.com"))).await.unwrap_err();
    assert!(error.contains("certificate"), "the name is checked: {error}");
}

#[tokio::test]
async fn a_role_for_whoever_has_the_role_before_it() {
    let stage = stage().await;
    let instance = EcsRole::new().endpoint(stage.address().to_string());
    let first = RamRole::new(ROLE).assumed_by(instance).signature(StsSignature::Acs3);
    let done = trip(&stage, RamRole::new(OTHER_ROLE).assumed_by(first)).await.unwrap();
    assert_eq!(done.asked.len(), 5, "three questions to the metadata service, two to STS: {done:?}");
    let expected = "the RAM role of the ECS instance: gave credentials\n\
                    the RAM role: gave credentials\nthe RAM role: gave credentials\n";
    assert_eq!(done.told, expected);
}

#[tokio::test]
async fn a_role_for_a_token_that_is_read_again() {
    let stage = stage().await;
    let folder = Folder::new("oidc");
    let path = folder.file("token", "not-yet-a-token");
    let role = OidcRole::new(ROLE, PROVIDER, path).endpoint(StsEndpoint::vpc(REGION)).session_name("pod");
    let error = trip(&stage, role.clone()).await.unwrap_err();
    assert!(error.contains("AuthenticationFail.OIDCToken.Invalid): check the token"), "{error}");
    folder.file("token", &format!("{TOKEN}\n"));
    let done = trip(&stage, role).await.unwrap();
    assert_eq!(done.asked, asked_sts("sts-vpc.cn-hangzhou.aliyuncs.com", ""));
}

#[tokio::test]
async fn f83_an_ecs_role_in_hardened_mode_and_no_other_unless_it_is_allowed() {
    let stage = stage().await;
    let address = stage.address().to_string();
    let at = |path: &str| format!("http://{address}/latest/{path}");
    let role = || EcsRole::new().endpoint(address.clone());
    let roles = "meta-data/ram/security-credentials/";
    let credentials = format!("GET {}", at(&format!("{roles}writer")));
    let token = format!("PUT {}", at("api/token"));
    let name = format!("GET {}", at(roles));
    assert_eq!(trip(&stage, role()).await.unwrap().asked, [&token, &name, &credentials].map(String::clone));
    let named = trip(&stage, role().name("writer")).await.unwrap();
    assert_eq!(named.asked, [&token, &credentials].map(String::clone));

    let old = MetadataMode::V1Only { put_status: 404 };
    stage.handle().with(|emulator| emulator.configure(|config| config.with_metadata_mode(old)));
    let error = trip(&stage, role()).await.unwrap_err();
    assert!(error.contains("the RAM role of the ECS instance"), "{error}");
    trip(&stage, role().allow_v1()).await.unwrap();
}

#[tokio::test]
async fn f82_b56_a_metadata_service_in_trouble_is_no_source() {
    let stage = stage().await;
    let role = || EcsRole::new().endpoint(stage.address().to_string());
    for mode in [MetadataMode::Off, MetadataMode::Throttled] {
        stage.handle().with(|emulator| emulator.configure(|config| config.with_metadata_mode(mode)));
        let error = trip(&stage, role()).await.unwrap_err();
        assert!(!error.contains("<html>") && error.contains("the RAM role of the ECS"), "{error}");
    }
    let bad = |config: EmulatorConfig| config.with_metadata_mode(MetadataMode::Hardened);
    for name in ["../writer", "two\nlines", "a?b", "<html>"] {
        let change = |config| bad(config).with_ecs_role(name);
        stage.handle().with(|emulator| emulator.configure(change));
        let before = stage.handle().with(|emulator| emulator.counters().metadata_credentials);
        let error = trip(&stage, role()).await.unwrap_err();
        assert!(!error.contains(name), "{error}");
        assert_eq!(stage.handle().with(|emulator| emulator.counters().metadata_credentials), before);
    }
}

#[tokio::test]
async fn f84_the_metadata_service_sends_nobody_elsewhere() {
    let (stage, other) = (stage().await, stage().await);
    let role = EcsRole::new().endpoint(stage.address().to_string()).name("writer");
    // Named for good: this test has one other place only.
    let place = format!("http://{}/latest/api/token", other.address());
    stage.redirect(Box::leak(place.into_boxed_str()));
    let _trip = trip(&stage, role).await;
    assert_eq!(other.connections(), 0, "a redirect was followed");
}

#[tokio::test]
async fn a_server_beside_the_program_and_a_program() {
    let stage = stage().await;
    let uri = format!("http://{}/credentials", stage.address());
    let done = trip(&stage, CredentialsUri::new(uri.as_str())).await.unwrap();
    assert_eq!(done.asked, [format!("GET {uri}")]);

    let [id, secret, token] = TEMPORARY;
    let print = |text: String| Process::new("printf").argument("%s").argument(text);
    let table = [
        (ID, format!(r#"{{"AccessKeyId":"{ID}","AccessKeySecret":"{SECRET}"}}"#)),
        (ID, format!(r#"{{"mode":"AK","access_key_id":"{ID}","access_key_secret":"{SECRET}"}}"#)),
        (
            id,
            format!(
                r#"{{"AccessKeyId":"{id}","AccessKeySecret":"{secret}","SecurityToken":"{token}",
                "Expiration":"2099-01-01T00:00:00Z"}}"#
            ),
        ),
        (
            id,
            format!(
                r#"{{"mode":"StsToken","access_key_id":"{id}","access_key_secret":"{secret}",
                "sts_token":"{token}","expiration":"2099-01-01T00:00:00Z"}}"#
            ),
        ),
    ];
    for (key_id, text) in table {
        assert_eq!(trip(&stage, print(text)).await.unwrap().key_id, key_id);
    }
    // F85, B55
    let ended = r#"{"AccessKeyId":"a","AccessKeySecret":"b","Expiration":"2020-01-01T00:00:00Z"}"#;
    let error = trip(&stage, print(ended.to_owned())).await.unwrap_err();
    assert!(error.contains("credentials expired at 2020-01-01T00:00:00Z: renew them"), "{error}");
    let broken = r#"{"AccessKeyId":"a","AccessKeySecret":"hid\r\nden"}"#;
    let error = trip(&stage, print(broken.to_owned())).await.unwrap_err();
    assert!(error.contains("at position 3 that no header can carry") && !error.contains("hid"), "{error}");
}

#[tokio::test]
async fn the_profiles_of_the_command_line_tool_in_their_modes() {
    let stage = stage().await;
    let folder = Folder::new("cli");
    let token = folder.file("token", TOKEN);
    let [id, secret, sts] = TEMPORARY;
    let keys = format!(r#""access_key_id":"{ID}","access_key_secret":"{SECRET}""#);
    let session = format!(r#""access_key_id":"{id}","access_key_secret":"{secret}","sts_token":"{sts}""#);
    let print =
        format!(r#"{{\"access_key_id\":\"{ID}\",\"access_key_secret\":\"{SECRET}\",\"mode\":\"AK\"}}"#);
    let uri = format!("http://{}/credentials", stage.address());
    let config = folder.file(
        "config.json",
        &format!(
            r#"{{"current":"ak","profiles":[
            {{"name":"ak","mode":"AK",{keys}}},
            {{"name":"sts","mode":"StsToken",{session}}},
            {{"name":"role","mode":"RamRoleArn",{keys},"ram_role_arn":"{ROLE}","ram_session_name":"me",
              "expired_seconds":900,"sts_region":"cn-hangzhou"}},
            {{"name":"guarded","mode":"RamRoleArn",{keys},"ram_role_arn":"{GUARDED_ROLE}",
              "external_id":"partner-7"}},
            {{"name":"chained","mode":"ChainableRamRoleArn","source_profile":"role",
              "ram_role_arn":"{OTHER_ROLE}"}},
            {{"name":"oidc","mode":"OIDC","ram_role_arn":"{ROLE}","oidc_provider_arn":"{PROVIDER}",
              "oidc_token_file":"{token}","ram_session_name":"me"}},
            {{"name":"uri","mode":"CredentialsURI","credentials_uri":"{uri}"}},
            {{"name":"program","mode":"External","process_command":"printf %s '{print}'"}},
            {{"name":"oauth","mode":"OAuth",{session},"sts_expiration":4070908800}}
            ]}}"#
        ),
    );
    let region = "POST https://sts.cn-hangzhou.aliyuncs.com/";
    let central = "POST https://sts.aliyuncs.com/";
    let table = [
        ("ak", ID, vec![]),
        ("sts", id, vec![]),
        ("role", "STS.", vec![region.to_owned()]),
        ("guarded", "STS.", vec![central.to_owned()]),
        ("chained", "STS.", vec![region.to_owned(), central.to_owned()]),
        ("oidc", "STS.", vec![central.to_owned()]),
        ("uri", "STS.", vec![format!("GET {uri}")]),
        ("program", ID, vec![]),
        ("oauth", id, vec![]),
    ];
    for (name, key_id, asked) in table {
        let done = trip(&stage, CliProfile::new().file(&config).profile(name)).await.unwrap();
        assert!(done.key_id.starts_with(key_id), "{name}: {done:?}");
        assert_eq!(done.asked, asked, "{name}");
    }
    assert_eq!(trip(&stage, CliProfile::new().file(&config)).await.unwrap().key_id, ID);
}

#[tokio::test]
async fn b63_the_sections_of_the_credentials_file() {
    use std::os::unix::fs::PermissionsExt as _;

    let stage = stage().await;
    let folder = Folder::new("ini");
    let token = folder.file("token", TOKEN);
    let [id, secret, sts] = TEMPORARY;
    let keys = format!("access_key_id = {ID}\r\naccess_key_secret = {SECRET}\r\n");
    let file = folder.file(
        "credentials",
        &format!(
            "\u{feff}[default]\r\ntype = access_key\r\n{keys}\
             [sts]\ntype = sts\naccess_key_id = {id}\naccess_key_secret = {secret}\nsecurity_token = {sts}\n\
             [role]\ntype = ram_role_arn\n{keys}role_arn = {ROLE}\nrole_session_name = me\n\
             [oidc]\ntype = oidc_role_arn\nrole_arn = {ROLE}\noidc_provider_arn = {PROVIDER}\n\
             oidc_token_file_path = {token}\nrole_session_name = me\n"
        ),
    );
    for (name, key_id) in [("default", ID), ("sts", id), ("role", "STS."), ("oidc", "STS.")] {
        let done = trip(&stage, IniProfile::new().file(&file).profile(name)).await.unwrap();
        assert!(done.key_id.starts_with(key_id), "{name}: {done:?}");
    }
    let warning = "warning, other users of the machine may read its file: chmod 600 it";
    let told = |mode| {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        let profile = IniProfile::new().file(&file);
        let stage = &stage;
        async move { trip(stage, profile).await.unwrap().told }
    };
    assert!(told(0o644).await.contains(warning));
    assert!(!told(0o600).await.contains(warning));
}

#[tokio::test]
async fn f86_a_member_that_is_there_and_broken_stops_the_chain() {
    let stage = stage().await;
    let broken = CredentialsUri::new(format!("http://{}/no-such-path", stage.address()));
    let chain = Source::Chain(vec![broken.into(), key().into()]);
    let error = trip(&stage, chain).await.unwrap_err();
    assert!(error.contains("the credentials URI: stopped here"), "{error}");
    assert_eq!(stage.handle().with(|emulator| emulator.objects(BUCKET).count()), 0);
    // What is not there is passed over.
    let absent = CredentialsProvider::from(Source::Chain(vec![Source::Custom(7), key().into()]))
        .with_lookup(7, || async { Ok::<_, std::io::Error>(None) });
    assert_eq!(trip(&stage, absent).await.unwrap().key_id, ID);
}

#[tokio::test]
async fn f80_who_asked_may_go_and_its_answer_serves_the_others() {
    let stage = stage().await;
    stage.stall(Duration::from_millis(300));
    let config = Config::new().region(REGION).credentials_provider(RamRole::new(ROLE).assumed_by(key()));
    let bucket = stage.over(config).bucket(BUCKET).unwrap();
    let done = Arc::new(AtomicUsize::new(0));
    let mut calls = tokio::task::JoinSet::new();
    for number in 0..20 {
        let (bucket, done) = (bucket.clone(), Arc::clone(&done));
        calls.spawn(async move {
            bucket.put(format!("key-{number}"), "hello").await.unwrap();
            done.fetch_add(1, Ordering::Relaxed);
        });
        if number == 0 {
            // The first one has asked STS, and is dropped while it waits.
            tokio::time::sleep(Duration::from_millis(50)).await;
            calls.abort_all();
        }
    }
    while calls.join_next().await.is_some() {}
    assert_eq!(done.load(Ordering::Relaxed), 19);
    assert_eq!(stage.handle().with(|emulator| emulator.counters().assume_role), 1);
}

/// Runs the test after this one in a process of its own, in an environment of only these variables, with the
/// source of this name; gives what it tells of itself.
async fn child(stage: &Stage, source: &str, variables: &[(&str, &str)]) -> String {
    let mut command = tokio::process::Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "in_a_process_of_its_own", "--nocapture"]).env_clear();
    command.env("STAGE_ADDRESS", stage.address().to_string()).env("STAGE_CA", stage.ca_pem());
    command.env("STAGE_SOURCE", source).envs(variables.iter().copied());
    let output = command.output().await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    text
}

#[tokio::test]
async fn in_a_process_of_its_own() {
    let Ok(address) = std::env::var("STAGE_ADDRESS") else { return };
    let address: core::net::SocketAddr = address.parse().unwrap();
    let variable = |name| std::env::var(name).unwrap();
    let source = match variable("STAGE_SOURCE").as_str() {
        "environment" => Source::Environment,
        "alibaba" => Source::AlibabaEnvironment,
        "role" => Source::EnvironmentRole,
        "oidc" => OidcRole::by_environment().into(),
        "uri" => CredentialsUri::by_environment().into(),
        _ => Source::default_chain(),
    };
    let config = Config::new().region(REGION).credentials_provider(source);
    let resolver = move |_host| core::future::ready(Ok(vec![address]));
    let config = config.resolver(resolver).root_certificates(variable("STAGE_CA"));
    let bucket = config.bucket(BUCKET).unwrap();
    let result = bucket.put("key", "hello").await;
    println!("{}", bucket.client().account().explain());
    match result {
        Ok(_) => assert_eq!(bucket.get("key").await.unwrap().text().await.unwrap(), "hello"),
        Err(error) => println!("failed: {error}"),
    }
}

#[tokio::test]
async fn b65_the_variables_of_each_source() {
    let stage = stage().await;
    let folder = Folder::new("variables");
    let token = folder.file("token", TOKEN);
    let uri = format!("http://{}/credentials", stage.address());
    let [id, secret, sts] = TEMPORARY;
    let oss = [("OSS_ACCESS_KEY_ID", ID), ("OSS_ACCESS_KEY_SECRET", SECRET)];
    let with = |pairs: &[(&'static str, &'static str)]| [&oss[..], pairs].concat();
    let oidc = [
        ("ALIBABA_CLOUD_ROLE_ARN", ROLE),
        ("ALIBABA_CLOUD_OIDC_PROVIDER_ARN", PROVIDER),
        ("ALIBABA_CLOUD_OIDC_TOKEN_FILE", token.as_str()),
        ("ALIBABA_CLOUD_STS_REGION", REGION),
        ("ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED", "true"),
    ];
    let temporary =
        [("OSS_ACCESS_KEY_ID", id), ("OSS_ACCESS_KEY_SECRET", secret), ("OSS_SESSION_TOKEN", sts)];
    let alibaba = [
        ("ALIBABA_CLOUD_ACCESS_KEY_ID", id),
        ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", secret),
        ("ALIBABA_CLOUD_SECURITY_TOKEN", sts),
    ];
    let role = with(&[("OSS_STS_ROLE_ARN", ROLE), ("OSS_ROLE_SESSION_NAME", "me")]);
    let uris = [("ALIBABA_CLOUD_CREDENTIALS_URI", uri.as_str())];
    let table: [(&str, &[(&str, &str)]); 6] = [
        ("environment", &with(&[("OSS_SESSION_TOKEN", "")])),
        ("environment", &temporary),
        ("alibaba", &alibaba),
        ("role", &role),
        ("oidc", &oidc),
        ("uri", &uris),
    ];
    for (source, variables) in table {
        let told = child(&stage, source, variables).await;
        assert!(told.contains(": gave credentials\n") && !told.contains("failed: "), "{source}: {told}");
    }
    let half = child(&stage, "environment", &[("OSS_ACCESS_KEY_ID", ID)]).await;
    assert!(half.contains("OSS_ACCESS_KEY_ID is set but OSS_ACCESS_KEY_SECRET is not"), "{half}");
    let bad = child(&stage, "environment", &[oss[0], ("OSS_ACCESS_KEY_SECRET", "\"quoted\nkey\"")]).await;
    assert!(
        bad.contains("OSS_ACCESS_KEY_SECRET has a byte at position 7") && !bad.contains("quoted"),
        "{bad}"
    );
}

#[tokio::test]
async fn b66_the_default_chain_takes_the_first_that_is_there() {
    let stage = stage().await;
    let folder = Folder::new("chain");
    let home = folder.0.to_str().unwrap().to_owned();
    let token = folder.file("token", TOKEN);
    let uri = format!("http://{}/credentials", stage.address());
    let keys = format!(r#""access_key_id":"{ID}","access_key_secret":"{SECRET}""#);
    let config = format!(r#"{{"current":"me","profiles":[{{"name":"me","mode":"AK",{keys}}}]}}"#);
    folder.file(".aliyun/config.json", &config);
    let section =
        format!("[default]\ntype = access_key\naccess_key_id = {ID}\naccess_key_secret = {SECRET}\n");
    folder.file(".alibabacloud/credentials", &section);
    let metadata = stage.address().to_string();
    let mut variables = vec![
        ("OSS_ACCESS_KEY_ID", ID),
        ("OSS_ACCESS_KEY_SECRET", SECRET),
        ("ALIBABA_CLOUD_ACCESS_KEY_ID", ID),
        ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", SECRET),
        ("ALIBABA_CLOUD_ROLE_ARN", ROLE),
        ("ALIBABA_CLOUD_OIDC_PROVIDER_ARN", PROVIDER),
        ("ALIBABA_CLOUD_OIDC_TOKEN_FILE", token.as_str()),
        ("ALIBABA_CLOUD_CREDENTIALS_URI", uri.as_str()),
        // Whoever answers there would decide who the program is.
        ("ALIBABA_CLOUD_ECS_METADATA_SERVICE_ENDPOINT", metadata.as_str()),
        ("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true"),
        ("HOME", home.as_str()),
    ];
    let places = [
        (2, "the environment (OSS_ACCESS_KEY_ID, OSS_ACCESS_KEY_SECRET)"),
        (2, "the environment (ALIBABA_CLOUD_ACCESS_KEY_ID, ALIBABA_CLOUD_ACCESS_KEY_SECRET)"),
        (3, "the RAM role for a token (OIDC)"),
        (0, "the profile of the command line tool (~/.aliyun/config.json)"),
        (0, "the credentials file (~/.alibabacloud/credentials)"),
        (1, "the credentials URI"),
    ];
    for (number, (count, name)) in places.into_iter().enumerate() {
        let told = child(&stage, "chain", &variables).await;
        assert!(told.contains(&format!("{name}: gave credentials\n")), "{told}");
        let passed_over = if number == 5 { 6 } else { number };
        assert_eq!(told.matches("passed over").count(), passed_over, "{told}");
        // The next one is there when this one is gone.
        variables.drain(..count);
        let file = [None, None, None, Some(".aliyun"), Some(".alibabacloud"), None][number];
        if let Some(file) = file {
            std::fs::remove_dir_all(folder.0.join(file)).unwrap();
        }
    }
    let told = child(&stage, "chain", &variables).await;
    assert!(told.contains("failed: ") && told.matches("passed over").count() == 7, "{told}");
    assert_eq!(stage.handle().with(|emulator| emulator.counters().metadata_tokens), 0);
}

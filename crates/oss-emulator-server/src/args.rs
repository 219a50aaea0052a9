//! The command line, read by hand.

use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use core::time::Duration;

use oss_emulator_server::{CallbackOutcome, Config};

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    Help,
    Version,
    Serve(Box<Arguments>),
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Arguments {
    host: IpAddr,
    port: u16,
    id: String,
    secret: String,
    region: String,
    buckets: Vec<String>,
    advertise: Option<String>,
    domains: Vec<String>,
    cnames: Vec<(String, String)>,
    callback_answer: Option<String>,
    roles: Vec<String>,
    ecs_role: Option<String>,
    oidc_token_file: Option<String>,
    credentials_uri: Option<String>,
}

impl Default for Arguments {
    fn default() -> Self {
        Self {
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 9000,
            id: "emulator-id".to_owned(),
            secret: "emulator-secret".to_owned(),
            region: "cn-hangzhou".to_owned(),
            buckets: Vec::new(),
            advertise: None,
            domains: Vec::new(),
            cnames: Vec::new(),
            callback_answer: None,
            roles: Vec::new(),
            ecs_role: None,
            oidc_token_file: None,
            credentials_uri: None,
        }
    }
}

impl Arguments {
    /// Reads `--flag value` and `--flag=value`; the error names the flag and the fix.
    pub(crate) fn parse(words: impl IntoIterator<Item = String>) -> Result<Wish, String> {
        let mut arguments = Self::default();
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            let (flag, value) = match word.split_once('=') {
                Some((flag, value)) => (flag.to_owned(), Some(value.to_owned())),
                None => (word, None),
            };
            match flag.as_str() {
                "--help" | "-h" => return Ok(Wish::Help),
                "--version" | "-V" => return Ok(Wish::Version),
                _ if !FLAGS.contains(&flag.as_str()) => {
                    return Err(format!("unknown argument {flag:?}: see oss-emulator --help"));
                }
                _ => {}
            }
            let value = value.or_else(|| words.next()).filter(|value| !value.is_empty());
            let value = value.ok_or_else(|| format!("{flag} needs a value: {flag} VALUE"))?;
            arguments.set(&flag, value)?;
        }
        Ok(Wish::Serve(Box::new(arguments)))
    }

    fn set(&mut self, flag: &str, value: String) -> Result<(), String> {
        match flag {
            "--host" => {
                let host = if value == "localhost" { "127.0.0.1" } else { &value };
                self.host = host.parse().map_err(|_| {
                    format!("--host {value:?} is not an IP address: use 127.0.0.1, or 0.0.0.0 for everywhere")
                })?;
            }
            "--port" => {
                self.port = value.parse().map_err(|_| {
                    format!("--port {value:?} is not a port: use a number from 0 (any free port) to 65535")
                })?;
            }
            "--access-key-id" => self.id = value,
            "--access-key-secret" => self.secret = value,
            "--region" => {
                if value.starts_with("oss-") || value.contains('/') {
                    return Err(format!("--region {value:?} is not a region id: use the form cn-hangzhou"));
                }
                self.region = value;
            }
            "--bucket" => self.buckets.push(bucket_name(flag, value)?),
            "--advertise" => self.advertise = Some(value),
            "--domain" => self.domains.push(value),
            "--callback-answer" => self.callback_answer = Some(value),
            "--role" => self.roles.push(role_arn(value)?),
            "--ecs-role" => self.ecs_role = Some(value),
            "--oidc-token-file" => self.oidc_token_file = Some(value),
            "--credentials-uri" => self.credentials_uri = Some(path(value)?),
            _ => {
                let Some((domain, bucket)) = value.split_once('=') else {
                    return Err(format!("--cname {value:?} names no bucket: use --cname DOMAIN=BUCKET"));
                };
                self.cnames.push((domain.to_owned(), bucket_name(flag, bucket.to_owned())?));
            }
        }
        Ok(())
    }

    pub(crate) fn address(&self) -> SocketAddr {
        SocketAddr::new(self.host, self.port)
    }

    pub(crate) fn buckets(&self) -> &[String] {
        &self.buckets
    }

    /// The settings. `oidc_token` is the content of [`oidc_token_file`](Self::oidc_token_file), taken before
    /// `token_ends` (since the Unix epoch).
    pub(crate) fn config(&self, oidc_token: Option<&str>, token_ends: Duration) -> Config {
        let mut config = Config::new(&self.region).with_access_key(&self.id, &self.secret);
        if let Some(endpoint) = &self.advertise {
            config = config.with_endpoint(endpoint);
        }
        for domain in &self.domains {
            config = config.with_domain(domain);
        }
        for (domain, bucket) in &self.cnames {
            config = config.with_cname(domain, bucket);
        }
        for role in &self.roles {
            config = config.with_role(role.as_str());
        }
        if let Some(name) = &self.ecs_role {
            config = config.with_ecs_role(name);
        }
        if let Some(token) = oidc_token {
            config = config.with_oidc_token(OIDC_PROVIDER, token, token_ends);
        }
        if let Some(path) = &self.credentials_uri {
            config = config.with_credentials_uri(path);
        }
        if let Some(answer) = self.callback_answer.clone() {
            config = config.with_callback(move |_| CallbackOutcome::Answered(answer.clone()));
        }
        config
    }

    pub(crate) fn oidc_token_file(&self) -> Option<&str> {
        self.oidc_token_file.as_deref()
    }

    /// The endpoint, and variables that a shell can take over as they stand.
    pub(crate) fn greeting(&self, endpoint: &str) -> String {
        let mut text = format!("# oss-emulator listens on {endpoint} (region {})\n", self.region);
        let bucket = self.buckets.first().map(String::as_str);
        let role = self.roles.first().map(String::as_str);
        let host = endpoint.trim_start_matches("http://");
        let oidc_token_file = self.oidc_token_file();
        let uri = self.credentials_uri.as_ref().map(|path| format!("{endpoint}{path}"));
        for (name, value) in [
            ("OSS_ENDPOINT", Some(endpoint)),
            ("OSS_REGION", Some(&self.region)),
            ("OSS_ACCESS_KEY_ID", Some(&self.id)),
            ("OSS_ACCESS_KEY_SECRET", Some(&self.secret)),
            ("OSS_BUCKET", bucket),
            ("OSS_STS_ROLE_ARN", role),
            ("ALIBABA_CLOUD_ROLE_ARN", role),
            ("ALIBABA_CLOUD_STS_ENDPOINT", role.map(|_| host)),
            ("ALIBABA_CLOUD_OIDC_PROVIDER_ARN", oidc_token_file.map(|_| OIDC_PROVIDER)),
            ("ALIBABA_CLOUD_OIDC_TOKEN_FILE", oidc_token_file),
            ("ALIBABA_CLOUD_ECS_METADATA", self.ecs_role.as_deref()),
            ("ALIBABA_CLOUD_CREDENTIALS_URI", uri.as_deref()),
        ] {
            if let Some(value) = value {
                text.push_str(&format!("export {name}={}\n", quoted(value)));
            }
        }
        text
    }
}

fn bucket_name(flag: &str, name: String) -> Result<String, String> {
    let bytes = name.as_bytes();
    let fits = (3..=63).contains(&bytes.len())
        && bytes.iter().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
        && !name.starts_with('-')
        && !name.ends_with('-');
    if fits {
        return Ok(name);
    }
    Err(format!("{flag} {name:?} is not a bucket name: use 3 to 63 of a-z, 0-9 and -, not - at an end"))
}

fn role_arn(arn: String) -> Result<String, String> {
    let parts = arn.strip_prefix("acs:ram::").and_then(|rest| rest.split_once(":role/"));
    let fits = parts.is_some_and(|(account, name)| {
        !account.is_empty() && account.bytes().all(|byte| byte.is_ascii_digit()) && !name.is_empty()
    });
    if fits {
        return Ok(arn);
    }
    Err(format!("--role {arn:?} is not the ARN of a role: use the form {ROLE_FORM}"))
}

fn path(path: String) -> Result<String, String> {
    if path.starts_with('/') && path.len() > 1 {
        return Ok(path);
    }
    Err(format!("--credentials-uri {path:?} is not a path: use one like /credentials"))
}

fn quoted(value: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:/".contains(&byte);
    if value.bytes().all(is_plain) { value.to_owned() } else { format!("'{}'", value.replace('\'', r"'\''")) }
}

pub(crate) const HELP: &str = "\
An Alibaba Cloud OSS server for tests: it verifies signatures and keeps everything in memory.

Usage: oss-emulator [FLAG VALUE]...

  --host ADDRESS              IP address to listen on       [127.0.0.1]
  --port PORT                 port, 0 for any free one      [9000]
  --access-key-id ID          the access key clients use    [emulator-id]
  --access-key-secret SECRET  and its secret                [emulator-secret]
  --region REGION             region to sign for            [cn-hangzhou]
  --bucket NAME               create a bucket; may be repeated
  --advertise ENDPOINT        the endpoint that answers name [its own]
  --domain DOMAIN             also answer as BUCKET.DOMAIN; may be repeated
  --cname DOMAIN=BUCKET       also answer for a bucket as DOMAIN; may be repeated
  --callback-answer JSON      what every callback is answered with [callbacks fail: 203]
  --role ARN                  STS lets the access key assume this role; may be repeated
  --oidc-token-file FILE      STS takes the token in this file, read once, for a year
  --ecs-role NAME             the metadata service gives out this role's credentials
  --credentials-uri PATH      give out temporary credentials at this path
  --help, --version

It prints its endpoint and environment variables for a shell, then serves until it is stopped.
IP addresses and localhost are path style (http://127.0.0.1:9000/bucket/key), bucket.localhost is virtual-host
style. Signatures: V4 and V1. STS is at / (RPC 1.0 and ACS3), the metadata service at /latest. What it does
not model it refuses with 501 NotImplemented.
";

const ROLE_FORM: &str = "acs:ram::1234567890123456:role/writer";
const OIDC_PROVIDER: &str = "acs:ram::1234567890123456:oidc-provider/emulator";
const FLAGS: [&str; 14] = [
    "--role",
    "--oidc-token-file",
    "--ecs-role",
    "--credentials-uri",
    "--callback-answer",
    "--host",
    "--port",
    "--access-key-id",
    "--access-key-secret",
    "--region",
    "--bucket",
    "--advertise",
    "--domain",
    "--cname",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Wish, String> {
        Arguments::parse(line.split_whitespace().map(ToOwned::to_owned))
    }

    #[test]
    fn reads_flags_in_both_spellings() {
        let line = "--port 0 --host=::1 --access-key-id a --access-key-secret b=c --region cn-beijing \
                    --bucket first --bucket=second --cname files.example.com=first";
        let Ok(Wish::Serve(arguments)) = parse(line) else { panic!("the line is good") };
        assert_eq!(arguments.address().to_string(), "[::1]:0");
        assert_eq!(arguments.buckets(), ["first", "second"]);
        assert_eq!(arguments.secret, "b=c");
        assert_eq!(arguments.cnames, [("files.example.com".to_owned(), "first".to_owned())]);
        assert_eq!(parse(""), Ok(Wish::Serve(Box::default())));
        assert_eq!(parse("--port 1 --help"), Ok(Wish::Help));
    }

    #[test]
    fn errors_name_the_flag_and_the_fix() {
        for (line, message) in [
            ("--prot 1", "unknown argument \"--prot\": see oss-emulator --help"),
            ("--port", "--port needs a value: --port VALUE"),
            ("--port x", "--port \"x\" is not a port: use a number from 0 (any free port) to 65535"),
            (
                "--host example.com",
                "--host \"example.com\" is not an IP address: use 127.0.0.1, or 0.0.0.0 for everywhere",
            ),
            (
                "--region oss-cn-beijing",
                "--region \"oss-cn-beijing\" is not a region id: use the form cn-hangzhou",
            ),
            (
                "--bucket A",
                "--bucket \"A\" is not a bucket name: use 3 to 63 of a-z, 0-9 and -, not - at an end",
            ),
            (
                "--role writer",
                "--role \"writer\" is not the ARN of a role: use the form acs:ram::1234567890123456:role/\
                 writer",
            ),
            ("--credentials-uri x", "--credentials-uri \"x\" is not a path: use one like /credentials"),
            ("--cname x", "--cname \"x\" names no bucket: use --cname DOMAIN=BUCKET"),
        ] {
            assert_eq!(parse(line), Err(message.to_owned()));
        }
    }

    #[test]
    fn the_greeting_can_be_sourced() {
        let arguments = Arguments { secret: "it's $x".to_owned(), ..Arguments::default() };
        let text = arguments.greeting("http://127.0.0.1:9000");
        assert!(text.contains("export OSS_ACCESS_KEY_SECRET='it'\\''s $x'\n"), "{text}");
        assert!(text.contains("export OSS_ENDPOINT=http://127.0.0.1:9000\n") && !text.contains("OSS_BUCKET"));
        assert!(!text.contains("ALIBABA_CLOUD"), "{text}");
    }

    #[test]
    fn the_greeting_names_what_hands_out_credentials() {
        let line = "--role acs:ram::1:role/a --role acs:ram::1:role/b --ecs-role a --credentials-uri /c \
                    --oidc-token-file /run/token";
        let Ok(Wish::Serve(arguments)) = parse(line) else { panic!("the line is good") };
        let text = arguments.greeting("http://127.0.0.1:9000");
        for line in [
            "export OSS_STS_ROLE_ARN=acs:ram::1:role/a",
            "export ALIBABA_CLOUD_ROLE_ARN=acs:ram::1:role/a",
            "export ALIBABA_CLOUD_STS_ENDPOINT=127.0.0.1:9000",
            "export ALIBABA_CLOUD_OIDC_PROVIDER_ARN=acs:ram::1234567890123456:oidc-provider/emulator",
            "export ALIBABA_CLOUD_OIDC_TOKEN_FILE=/run/token",
            "export ALIBABA_CLOUD_ECS_METADATA=a",
            "export ALIBABA_CLOUD_CREDENTIALS_URI=http://127.0.0.1:9000/c",
        ] {
            assert!(text.lines().any(|other| other == line), "{line} is not in {text}");
        }
    }
}

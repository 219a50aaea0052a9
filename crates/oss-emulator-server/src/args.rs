//! The command line, read by hand.

use core::net::{IpAddr, Ipv4Addr, SocketAddr};

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

    pub(crate) fn config(&self) -> Config {
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
        if let Some(answer) = self.callback_answer.clone() {
            config = config.with_callback(move |_| CallbackOutcome::Answered(answer.clone()));
        }
        config
    }

    /// The endpoint, and variables that a shell can take over as they stand.
    pub(crate) fn greeting(&self, endpoint: &str) -> String {
        let mut text = format!("# oss-emulator listens on {endpoint} (region {})\n", self.region);
        let bucket = self.buckets.first().map(String::as_str);
        for (name, value) in [
            ("OSS_ENDPOINT", Some(endpoint)),
            ("OSS_REGION", Some(&self.region)),
            ("OSS_ACCESS_KEY_ID", Some(&self.id)),
            ("OSS_ACCESS_KEY_SECRET", Some(&self.secret)),
            ("OSS_BUCKET", bucket),
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
  --help, --version

It prints its endpoint and environment variables for a shell, then serves until it is stopped.
IP addresses and localhost are path style (http://127.0.0.1:9000/bucket/key), bucket.localhost is virtual-host
style. Signatures: V4 and V1. What it does not model it refuses with 501 NotImplemented.
";

const FLAGS: [&str; 10] = [
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
    }
}

//! Credentials that STS, the metadata service and the credentials URI hand out, and what OSS makes of them.
#![allow(clippy::unwrap_used)]

mod common;

use core::time::Duration;

use base64ct::{Base64, Encoding as _};
use common::{Answer, BUCKET, Client, ID, Key, SECRET, encoded, iso_basic, object, v4};
use hmac::{Hmac, KeyInit as _, Mac as _};
use oss_emulator_server::{Config, MetadataMode, Server};
use sha1::Sha1;

const ROLE: &str = "acs:ram::1234567890123456:role/writer";

fn start(change: impl FnOnce(Config) -> Config) -> (Server, Client) {
    let config =
        Config::new("cn-hangzhou").with_access_key(ID, SECRET).with_role(ROLE).with_ecs_role("writer");
    let server = Server::start_on_thread(change(config.with_credentials_uri("/credentials"))).unwrap();
    server.create_bucket(BUCKET);
    let client = Client { address: server.address(), now: server.now().as_secs() };
    (server, client)
}

impl Client {
    /// The same client on the server's clock, which a test has set.
    fn on_the_clock_of(&self, server: &Server) -> Self {
        Self { now: server.now().as_secs(), ..self.clone() }
    }

    /// `AssumeRole` with RPC 1.0, everything in the body.
    fn assume_role(&self, nonce: &str, seconds: u64) -> Answer {
        let (time, seconds) = (iso_seconds(self.now), seconds.to_string());
        let mut pairs = vec![
            ("AccessKeyId", ID),
            ("Action", "AssumeRole"),
            ("DurationSeconds", &seconds),
            ("Format", "JSON"),
            ("RoleArn", ROLE),
            ("RoleSessionName", "alice"),
            ("SignatureMethod", "HMAC-SHA1"),
            ("SignatureNonce", nonce),
            ("SignatureVersion", "1.0"),
            ("Timestamp", &time),
            ("Version", "2015-04-01"),
        ];
        let signature = hmac_sha1(&format!("{SECRET}&"), &format!("POST&%2F&{}", encoded(&form(&pairs))));
        pairs.push(("Signature", &signature));
        let (body, kind) = (form(&pairs), ("Content-Type", "application/x-www-form-urlencoded"));
        let length = body.len().to_string();
        let head = self.head("POST", "/", &[kind, ("Content-Length", &length)]);
        self.exchange(&[head.as_bytes(), body.as_bytes()].concat())
    }

    fn plain(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.exchange(self.head(method, path, headers).as_bytes())
    }

    /// What OSS says to a key in each place where a signature can be.
    fn outcomes(&self, key: &Key) -> [String; 5] {
        let get = object("k");
        let header = self.exchange(self.signed_head_as(key, "GET", &get, &[], &[]).as_bytes());
        let url = self.plain("GET", &self.presigned_as(key, "GET", &get, 900), &[]);
        [header, url, self.v1_header(key), self.v1_url(key), self.form(key)].map(|answer| answer.outcome())
    }

    fn v1_header(&self, key: &Key) -> Answer {
        let date = http_date(self.now);
        let token = key.token.as_deref().map(|token| ("x-oss-security-token", token));
        let line = token.map_or_else(String::new, |(name, value)| format!("{name}:{value}\n"));
        let text = format!("GET\n\n\n{date}\nx-oss-date:{date}\n{line}{}", object("k"));
        let authorization = format!("OSS {}:{}", key.id, hmac_sha1(&key.secret, &text));
        let mut headers = vec![("x-oss-date", date.as_str()), ("Authorization", &authorization)];
        headers.extend(token);
        self.plain("GET", &object("k"), &headers)
    }

    fn v1_url(&self, key: &Key) -> Answer {
        let expires = (self.now + 900).to_string();
        let sub = key.token.as_deref().map_or_else(String::new, |token| format!("?security-token={token}"));
        let signature = hmac_sha1(&key.secret, &format!("GET\n\n\n{expires}\n{}{sub}", object("k")));
        let mut pairs =
            vec![("OSSAccessKeyId", key.id.as_str()), ("Expires", &expires), ("Signature", &signature)];
        pairs.extend(key.token.as_deref().map(|token| ("security-token", token)));
        self.plain("GET", &format!("{}?{}", object("k"), form(&pairs)), &[])
    }

    /// A form with a V4 policy.
    fn form(&self, key: &Key) -> Answer {
        let date = iso_basic(self.now);
        let scope = format!("{}/cn-hangzhou/oss/aliyun_v4_request", &date[..8]);
        let mut fields = vec![
            ("x-oss-signature-version", "OSS4-HMAC-SHA256".to_owned()),
            ("x-oss-credential", format!("{}/{scope}", key.id)),
            ("x-oss-date", date),
        ];
        fields.extend(key.token.clone().map(|token| ("x-oss-security-token", token)));
        let conditions: String =
            fields.iter().map(|(name, value)| format!(r#",{{"{name}":"{value}"}}"#)).collect();
        let ends = iso_seconds(self.now + 900);
        let policy =
            format!(r#"{{"expiration":"{ends}","conditions":[{{"bucket":"{BUCKET}"}}{conditions}]}}"#);
        let policy = Base64::encode_string(policy.as_bytes());
        fields.push(("x-oss-signature", v4(&key.secret, &scope, &policy)));
        fields.extend([("policy", policy), ("key", "form".to_owned())]);
        let mut body = String::new();
        for (name, value) in fields {
            body += &format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        }
        body += "--edge\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\ncontent\r\n--edge--\r\n";
        let (kind, length) = (("Content-Type", "multipart/form-data; boundary=edge"), body.len().to_string());
        let head = self.head("POST", &format!("/{BUCKET}/"), &[kind, ("Content-Length", &length)]);
        self.exchange(&[head.as_bytes(), body.as_bytes()].concat())
    }
}

fn key_of(answer: &Answer) -> Key {
    let (id, secret) = (answer.json("AccessKeyId"), answer.json("AccessKeySecret"));
    Key { id, secret, token: Some(answer.json("SecurityToken")) }
}

fn same(outcome: &str) -> [String; 5] {
    [outcome; 5].map(str::to_owned)
}

const TAKEN: [&str; 5] = ["200", "200", "200", "200", "204"];

#[test]
fn oss_takes_what_sts_hands_out_until_it_expires() {
    let (server, client) = start(|config| config);
    client.put("k", &[], b"content");
    let answer = client.assume_role("n1", 900);
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/json;charset=utf-8"));
    let key = key_of(&answer);
    assert_eq!(client.outcomes(&key), TAKEN);

    let wrong = Key { token: Some("another".to_owned()), ..key.clone() };
    assert_eq!(client.outcomes(&wrong), same("403 InvalidSecurityToken"));
    let bare = Key { token: None, ..key.clone() };
    assert_eq!(client.outcomes(&bare), same("403 InvalidAccessKeyId"));
    let liar = Key { secret: "guess".to_owned(), ..key.clone() };
    assert_eq!(client.outcomes(&liar), same("403 SignatureDoesNotMatch"));
    let mixed = Key { token: key.token.clone(), ..Key::main() };
    assert_eq!(client.outcomes(&mixed), same("403 AccessKeyIdAndSecurityTokenNotMatch"));

    server.shift_clock(890);
    let second = key_of(&client.on_the_clock_of(&server).assume_role("n2", 900));
    assert_eq!(client.on_the_clock_of(&server).outcomes(&key), TAKEN);
    server.shift_clock(901);
    let late = client.on_the_clock_of(&server);
    assert_eq!(late.outcomes(&key), same("403 SecurityTokenExpired"));
    assert_eq!(late.outcomes(&second), TAKEN, "both worked side by side, and the second goes on");

    server.with(|emulator| emulator.configure(|_| Config::new("cn-hangzhou").with_access_key("new", "new")));
    assert_eq!(late.outcomes(&second), TAKEN, "new settings leave sessions alone");
    assert!(server.with(|emulator| emulator.revoke(&second.id)));
    assert_eq!(late.outcomes(&second), same("403 InvalidAccessKeyId"));
    assert!(!server.with(|emulator| emulator.revoke(&second.id)));
}

#[test]
fn sts_over_a_socket_refuses_with_a_date() {
    let (server, client) = start(|config| config);
    let slow = Client { now: client.now - 3600, ..client.clone() };
    let answer = slow.assume_role("n1", 900);
    assert_eq!((answer.status, answer.json("Code").as_str()), (400, "InvalidTimeStamp.Expired"));
    let date = answer.header("date").unwrap();
    assert!((client.now..client.now + 60).map(http_date).any(|other| other == date), "{date}");
    assert_eq!(client.assume_role("n1", 900).status, 200, "what was refused has not used up its nonce");
    let again = client.assume_role("n1", 900);
    assert_eq!((again.status, again.json("Code").as_str()), (400, "SignatureNonceUsed"));
    let counters = server.with(|emulator| emulator.counters());
    assert_eq!((counters.assume_role, counters.sts_refused, counters.issued), (3, 2, 1));
}

#[test]
fn oss_takes_what_the_metadata_service_hands_out() {
    let (server, client) = start(|config| config.with_ecs_credential_lifetime(Duration::from_secs(7200)));
    client.put("k", &[], b"content");
    let path = "/latest/meta-data/ram/security-credentials/";
    assert_eq!(client.plain("GET", path, &[]).status, 403);
    let ttl = [("X-aliyun-ecs-metadata-token-ttl-seconds", "21600"), ("Content-Length", "0")];
    let token = client.plain("PUT", "/latest/api/token", &ttl).text();
    let token = [("X-aliyun-ecs-metadata-token", token.as_str())];
    let role = client.plain("GET", path, &token).text();
    assert_eq!(role, "writer");
    let read = |client: &Client| key_of(&client.plain("GET", &format!("{path}{role}"), &token));
    let first = read(&client);
    assert_eq!(client.outcomes(&first), TAKEN);
    server.shift_clock(7200 - 1799);
    let client = client.on_the_clock_of(&server);
    let second = read(&client);
    assert_ne!(first.id, second.id);
    assert_eq!(client.outcomes(&first), TAKEN, "the old ones work until they end");
    assert_eq!(client.outcomes(&second), TAKEN);
    server.shift_clock(7201);
    let client = client.on_the_clock_of(&server);
    assert_eq!(client.outcomes(&first), same("403 SecurityTokenExpired"));
    assert_eq!(client.outcomes(&second), TAKEN);
    server.with(|emulator| emulator.configure(|config| config.with_metadata_mode(MetadataMode::Throttled)));
    assert_eq!(client.plain("GET", path, &token).status, 429);
}

#[test]
fn oss_takes_what_the_credentials_uri_hands_out() {
    let (server, client) = start(|config| config);
    client.put("k", &[], b"content");
    let key = key_of(&client.plain("GET", "/credentials", &[]));
    assert_eq!(client.outcomes(&key), TAKEN);
    assert_eq!(server.with(|emulator| emulator.counters().credentials_uri), 1);
}

fn form(pairs: &[(&str, &str)]) -> String {
    let pairs = pairs.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
    pairs.collect::<Vec<_>>().join("&")
}

fn hmac_sha1(secret: &str, text: &str) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    Base64::encode_string(&mac.finalize().into_bytes())
}

fn iso_seconds(seconds: u64) -> String {
    let text = iso_basic(seconds);
    let (day, time) = (&text[..8], &text[9..15]);
    let (date, month) = (&day[..4], &day[4..6]);
    format!("{date}-{month}-{}T{}:{}:{}Z", &day[6..], &time[..2], &time[2..4], &time[4..])
}

fn http_date(seconds: u64) -> String {
    let text = iso_basic(seconds);
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = months[text[4..6].parse::<usize>().unwrap() - 1];
    let weekday = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][(seconds / 86_400 % 7) as usize];
    let (year, day) = (&text[..4], &text[6..8]);
    format!("{weekday}, {day} {month} {year} {}:{}:{} GMT", &text[9..11], &text[11..13], &text[13..15])
}

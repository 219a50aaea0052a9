//! What the kinds of signatures have in common.

use oss_sign::{AccessKey, Request, Resource, Scope, UnixTime};
use serde_json::Value;

use super::{Record, encode};
use crate::naive_sign;

/// The parts of a record that a signature is computed from.
pub(super) struct SignedInput<'a> {
    pub(super) input: naive_sign::Input<'a>,
    level: &'a str,
    pub(super) time: UnixTime,
}

impl<'a> SignedInput<'a> {
    pub(super) fn read(record: &Record<'a>) -> Result<Self, String> {
        let names = match &record.value["in"]["additional_headers"] {
            Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let time = record.text("time")?;
        let input = naive_sign::Input {
            method: record.text("method")?,
            bucket: record.optional("bucket")?,
            key: record.optional("key")?,
            query: record.pairs("query")?,
            headers: record.pairs("headers")?,
            additional: names,
            region: record.text("region")?,
            product: record.text("product")?,
            date: "",
            id: record.text("access_key_id")?,
            secret: record.text("access_key_secret")?,
            token: record.optional("security_token")?.unwrap_or_default(),
        };
        let time = UnixTime::parse_iso_extended(time).ok_or_else(|| format!("in.time is no time: {time}"))?;
        Ok(Self { input, level: record.text("level")?, time })
    }

    fn resource(&self) -> Result<Resource<'a>, String> {
        match (self.level, self.input.bucket, self.input.key) {
            ("service", ..) => Ok(Resource::Service),
            ("bucket", Some(bucket), _) => Ok(Resource::Bucket(bucket)),
            ("object", Some(bucket), Some(key)) => Ok(Resource::Object { bucket, key }),
            // A full name stands in the record, since that is what the second signer signs.
            ("vectors", Some(name), _) => {
                let parts: Vec<&str> = name.split(':').collect();
                let ["acs", "ossvector", region, account, bucket] = parts[..] else {
                    return Err(format!("in.bucket is no name of a vector bucket: {name}"));
                };
                Ok(Resource::Vectors { region, account, bucket, key: "" })
            }
            ("tables", Some(arn), Some(path)) => Ok(match arn.strip_suffix("::bucket/") {
                Some(arn) => {
                    Resource::TablesService { region: arn.trim_start_matches("acs:osstables:"), path }
                }
                None => Resource::Tables { arn, path },
            }),
            (level, bucket, key) => Err(format!("level {level} with bucket {bucket:?} and key {key:?}")),
        }
    }

    pub(super) fn access_key(&self) -> AccessKey<'a> {
        let token = Some(self.input.token);
        AccessKey { id: self.input.id, secret: self.input.secret, token }
    }

    pub(super) fn scope(&self) -> Scope<'a> {
        Scope { region: self.input.region, product: self.input.product, time: self.time }
    }

    pub(super) fn request(&self) -> Result<Request<'_>, String> {
        let Self { input, .. } = self;
        Ok(Request {
            method: input.method,
            resource: self.resource()?,
            query: &input.query,
            headers: &input.headers,
            additional: &input.additional,
        })
    }
}

/// Compares the query after presigning, as it is on the wire, in any order.
pub(super) fn same_query(
    record: &Record<'_>,
    request: &Request<'_>,
    added: &[(&str, &str)],
) -> Result<(), String> {
    let query: Vec<(String, String)> =
        request.query.iter().chain(added).map(|(name, value)| (encode(name), encode(value))).collect();
    let query: Vec<(&str, &str)> = query.iter().map(|(name, value)| (&**name, &**value)).collect();
    record.expect_pairs("query_pairs_sorted", |(name, value)| Some(format!("{name}={value}")), query.iter())
}

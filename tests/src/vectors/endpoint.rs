//! Where a request goes, from the switches of a configuration.

use oss_endpoint::{Addressing, BucketName, EndpointError, EndpointOptions, ObjectKey, Region, Scheme};

use super::{Pass, Record, same_text};

pub(super) fn endpoint(record: &Record<'_>) -> Result<Pass, String> {
    let expects_error = !record.out()["error"].is_null();
    match (address(record), record.rule()) {
        (Err(Refusal::Record(problem)), _) => Err(problem),
        (Err(Refusal::Ours(_)), _) if expects_error => Ok(Pass::Same),
        (Err(Refusal::Ours(_)), Some(_)) => Ok(Pass::ByRule),
        (Err(Refusal::Ours(error)), None) => Err(format!("refused: {error}")),
        (Ok(_), _) if expects_error => Err(format!("{} was expected", record.out()["error"])),
        (Ok(ours), rule) => match (compare(record, &ours), rule) {
            (Ok(()), _) => Ok(Pass::Same),
            (Err(_), Some("localhost-path-style")) if ours.style == "path" => Ok(Pass::ByRule),
            (Err(_), Some("region-catalogue")) if ours.is_listed => Ok(Pass::ByRule),
            (Err(difference), _) => Err(difference),
        },
    }
}

enum Refusal {
    /// The record cannot be read.
    Record(String),
    /// A typed error of ours.
    Ours(EndpointError),
}

impl From<EndpointError> for Refusal {
    fn from(error: EndpointError) -> Self {
        Self::Ours(error)
    }
}

struct Ours {
    scheme: &'static str,
    host: String,
    path: String,
    style: &'static str,
    has_bucket: bool,
    /// Whether the host is one that the catalogue has for the region.
    is_listed: bool,
}

fn address(record: &Record<'_>) -> Result<Ours, Refusal> {
    let optional = |name| record.optional(name).map_err(Refusal::Record);
    let flags = record.list("flags");
    let has = |flag| flags.contains(&flag);
    let region = optional("region")?.filter(|region| !region.is_empty()).map(Region::parse).transpose()?;
    let options = EndpointOptions {
        region,
        endpoint: optional("endpoint")?.map(str::to_owned),
        disable_ssl: has("disable_ssl"),
        use_internal_endpoint: has("use_internal_endpoint"),
        use_dualstack_endpoint: has("use_dualstack_endpoint"),
        use_accelerate_endpoint: has("use_accelerate_endpoint"),
        use_path_style: has("use_path_style"),
        use_cname: has("use_cname"),
        // The SDKs know no catalogue: what they make of a host that a region has not is the formula.
        allow_unlisted_host: true,
        ..EndpointOptions::default()
    };
    let endpoint = options.resolve()?;
    let bucket = optional("bucket")?.map(BucketName::parse).transpose()?;
    let key = optional("key")?.map(ObjectKey::parse).transpose()?;
    let address = endpoint.address(bucket.as_ref(), key.as_ref());
    Ok(Ours {
        scheme: if address.scheme == Scheme::Http { "http" } else { "https" },
        host: address.authority,
        path: address.path,
        style: match endpoint.addressing() {
            Addressing::Path => "path",
            Addressing::Cname => "cname",
            _ => "virtual",
        },
        has_bucket: bucket.is_some(),
        is_listed: options.region.as_ref().and_then(Region::entry).is_some_and(|entry| {
            entry
                .hosts
                .iter()
                .any(|set| [set.public, set.internal, set.dual_stack].contains(&Some(endpoint.host())))
        }),
    })
}

/// Product and signing region are not compared: they are the configuration's of the signer.
fn compare(record: &Record<'_>, ours: &Ours) -> Result<(), String> {
    record.expect("scheme", ours.scheme)?;
    let host = record.out()["host"].as_str().ok_or("out.host is not a text")?;
    same_text("host", &host.to_lowercase(), &ours.host.to_lowercase())?;
    record.expect("path", &ours.path)?;
    // Without a bucket every style is the same.
    if ours.has_bucket { record.expect("address_style", ours.style) } else { Ok(()) }
}

//! Laws that hold for every input: nothing panics, and an address names what was asked for.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use oss_endpoint::{
    Address, Addressing, BucketName, Endpoint, EndpointError, EndpointOptions, FinanceNetwork, Kind,
    ObjectKey, Region, RegionEntry, Scheme, encode_component, encode_key,
};
use percent_encoding::percent_decode_str;
use proptest::prelude::*;

/// A second, naive reading of a URL: what any client must make of what we write.
struct Read<'a> {
    scheme: &'a str,
    host: &'a str,
    port: Option<&'a str>,
    path: &'a str,
}

fn read(url: &str) -> Read<'_> {
    let (scheme, rest) = url.split_once("://").unwrap();
    let (authority, path) = rest.split_at(rest.find('/').unwrap());
    let digits = authority.bytes().rev().take_while(u8::is_ascii_digit).count();
    let (front, port) = authority.split_at(authority.len() - digits);
    match front.strip_suffix(':') {
        Some(host) if digits > 0 => Read { scheme, host, port: Some(port), path },
        _ => Read { scheme, host: authority, port: None, path },
    }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[a-z0-9./:@?#\\[\\]%\\\\ \n-]{0,40}",
        "(https?|HTTP|ftp)://[a-zA-Z0-9._-]{0,20}(:[0-9+]{0,6})?[/?#@]?.{0,5}",
        "[0-9a-fx]{1,4}(\\.[0-9a-fx]{1,4}){0,4}",
        "\\[[0-9a-fA-F:.%]{0,24}\\](:[0-9]{1,6})?",
    ]
}

fn key() -> impl Strategy<Value = ObjectKey> {
    prop_oneof![
        any::<String>(),
        "[./\\\\%?#&=+ a2eE]{1,30}",
        "(\\.\\./|//|%2[eEfF]|\\.|中|😀|\u{0}|\r\n){1,8}"
    ]
    .prop_filter_map("not empty", |text| ObjectKey::verbatim(text).ok())
}

fn bucket() -> impl Strategy<Value = BucketName> {
    "[a-z0-9][a-z0-9-]{1,61}[a-z0-9]".prop_filter_map("xn--", |text| BucketName::parse(text).ok())
}

fn endpoint() -> impl Strategy<Value = Endpoint> {
    let region = "[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?";
    let known = (region, 0..5).prop_map(|(region, kind)| {
        let region = Region::parse(region).unwrap();
        match kind {
            0 => Endpoint::public(&region),
            1 => Endpoint::internal(&region).unwrap(),
            2 => Endpoint::dual_stack(&region).unwrap(),
            3 => Endpoint::accelerate(),
            _ => Endpoint::accelerate_overseas(),
        }
    });
    let host = "([a-z][a-z0-9]{0,9}(\\.[a-z]{1,9}){0,3}|127\\.0\\.0\\.1|1\\.2|\\[::1\\]|localhost)";
    let own = format!("(https?://)?{host}(:[1-9][0-9]{{0,3}})?");
    let own = proptest::string::string_regex(&own).unwrap().prop_map(|text| Endpoint::parse(&text).unwrap());
    let addressing =
        prop_oneof![Just(Addressing::VirtualHosted), Just(Addressing::Path), Just(Addressing::Cname)];
    (prop_oneof![known, own], addressing)
        .prop_map(|(endpoint, addressing)| endpoint.with_addressing(addressing))
}

fn region() -> impl Strategy<Value = Region> {
    let known = proptest::sample::select(RegionEntry::all()).prop_map(|entry| entry.id.to_owned());
    prop_oneof![known, "[a-z0-9]([a-z0-9-]{0,48}[a-z0-9])?"].prop_map(|id| Region::parse(id).unwrap())
}

fn kind() -> impl Strategy<Value = Kind> {
    proptest::sample::select(vec![
        Kind::Public,
        Kind::Internal,
        Kind::DualStack,
        Kind::Accelerate,
        Kind::AccelerateOverseas,
    ])
}

fn network() -> impl Strategy<Value = Option<FinanceNetwork>> {
    proptest::option::of(prop_oneof![Just(FinanceNetwork::Private), Just(FinanceNetwork::Public)])
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8().unwrap().into_owned()
}

/// The bucket and the key that a server finds in an address, given how the endpoint names a bucket.
fn found<'a>(endpoint: &Endpoint, address: &'a Read<'a>) -> (Option<&'a str>, String) {
    let path = address.path.strip_prefix('/').unwrap();
    match endpoint.addressing() {
        Addressing::Path => match path.split_once('/') {
            Some((bucket, key)) => (Some(bucket), decoded(key)),
            None => (None, decoded(path)),
        },
        Addressing::VirtualHosted => {
            let bucket = address.host.strip_suffix(endpoint.host()).and_then(|front| front.strip_suffix('.'));
            (bucket, decoded(path))
        }
        _ => (None, decoded(path)),
    }
}

fn check(endpoint: &Endpoint, address: &Address) -> Result<(), TestCaseError> {
    let url = address.url();
    let read = read(&url);
    prop_assert_eq!(read.scheme, endpoint.scheme().as_str());
    prop_assert!(read.host.ends_with(endpoint.host()));
    let authority = endpoint.authority();
    prop_assert_eq!(read.port, authority[endpoint.host().len()..].strip_prefix(':'));
    let port = read.port.map_or_else(|| endpoint.scheme().port(), |port| port.parse().unwrap());
    prop_assert_eq!(port, endpoint.port());
    prop_assert_eq!(read.path, &address.path);
    prop_assert!(url.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#@\\\"<>".contains(&byte)));
    Ok(())
}

proptest! {
    #[test]
    fn no_text_panics_and_what_is_accepted_is_stable(text in text()) {
        let names = [
            Region::parse(&*text).map(String::from),
            BucketName::parse(&*text).map(String::from),
            ObjectKey::parse(&*text).map(String::from),
            ObjectKey::verbatim(&*text).map(String::from),
        ];
        for name in names {
            match name {
                Ok(name) => prop_assert_eq!(name, &*text),
                Err(error) => prop_assert!(error.to_string().len() < 4096),
            }
        }
        match Endpoint::parse(&text) {
            Ok(endpoint) => {
                let shown = endpoint.to_string();
                prop_assert_eq!(&Endpoint::parse(&shown).unwrap(), &endpoint);
                prop_assert!(shown.is_ascii() && !shown.contains(['@', '?', '#', '\\', '%', ' ']));
                prop_assert!(endpoint.ip().is_none() || endpoint.addressing() == Addressing::Path);
                let lower = text.to_ascii_lowercase();
                prop_assert!(endpoint.ip().is_some() || lower.contains(endpoint.host()));
            }
            Err(error) => prop_assert!(!error.to_string().contains('\n')),
        }
    }

    #[test]
    fn b09_a_configuration_resolves_or_says_why(
        text in proptest::option::of(text()),
        switches in any::<[bool; 8]>(),
    ) {
        let [region, ssl, internal, dual, fast, overseas, path, cname] = switches;
        let options = EndpointOptions {
            region: region.then(|| Region::parse("cn-hangzhou").unwrap()),
            endpoint: text.clone(),
            disable_ssl: ssl,
            use_internal_endpoint: internal,
            use_dualstack_endpoint: dual,
            use_accelerate_endpoint: fast,
            use_accelerate_overseas_endpoint: overseas,
            use_path_style: path,
            use_cname: cname,
            ..EndpointOptions::default()
        };
        let explicit = text.as_deref().filter(|text| !text.is_empty());
        let kinds = [internal, dual, fast, overseas].into_iter().filter(|set| *set).count();
        match options.resolve() {
            Ok(endpoint) => {
                prop_assert!(!(path && cname) && (explicit.is_some() || region && kinds < 2));
                prop_assert!(ssl || endpoint.scheme() == Scheme::Https
                    || explicit.is_some_and(|text| text.to_ascii_lowercase().starts_with("http://")));
            }
            Err(EndpointError::Conflict { .. }) => {
                prop_assert!(path && cname || explicit.is_none() && kinds > 1);
            }
            Err(EndpointError::Missing) => prop_assert!(explicit.is_none() && !region),
            Err(_) => prop_assert!(explicit.is_some_and(|text| Endpoint::parse(text).is_err())),
        }
    }

    #[test]
    fn b01_a_region_has_a_host_of_a_kind_or_the_catalogue_says_no(
        region in region(),
        kind in kind(),
        network in network(),
        allow_unlisted_host in any::<bool>(),
    ) {
        let options = EndpointOptions {
            region: Some(region.clone()),
            use_internal_endpoint: kind == Kind::Internal,
            use_dualstack_endpoint: kind == Kind::DualStack,
            use_accelerate_endpoint: kind == Kind::Accelerate,
            use_accelerate_overseas_endpoint: kind == Kind::AccelerateOverseas,
            finance_network: network,
            allow_unlisted_host,
            ..EndpointOptions::default()
        };
        prop_assert!(options.warnings().iter().all(|warning| !warning.to_string().contains('\n')));
        let listed = region.entry().and_then(|entry| entry.host(kind, network));
        match options.resolve() {
            Ok(endpoint) => {
                // What a formula makes is what a person could have written: no label is too long.
                prop_assert_eq!(&Endpoint::parse(&endpoint.to_string()).unwrap(), &endpoint);
                prop_assert!(endpoint.host().split('.').all(|label| label.len() <= 63));
                prop_assert!(endpoint.host().ends_with(".aliyuncs.com"));
                prop_assert!(listed.is_none_or(|host| host == endpoint.host()));
                prop_assert!(listed.is_some() || region.entry().is_none() || allow_unlisted_host);
                if network.is_none() && !allow_unlisted_host {
                    prop_assert_eq!(Endpoint::of(kind, &region), Ok(endpoint));
                }
            }
            Err(EndpointError::NoHost { region: id, kind: of, .. }) => {
                prop_assert!(listed.is_none() && id == region.as_str() && of == kind);
                prop_assert!(region.entry().is_some());
            }
            Err(error) => prop_assert!(false, "{}", error),
        }
        let public = Endpoint::public(&region);
        prop_assert_eq!(Endpoint::of(Kind::Public, &region), Ok(public));
    }

    #[test]
    fn b11_an_address_names_the_host_the_bucket_and_the_key(
        endpoint in endpoint(),
        bucket in bucket(),
        key in key(),
    ) {
        let address = endpoint.address(Some(&bucket), Some(&key));
        check(&endpoint, &address)?;
        let url = address.url();
        let read = read(&url);
        let (found, name) = found(&endpoint, &read);
        prop_assert_eq!(name, key.as_str());
        match endpoint.addressing() {
            Addressing::Cname => prop_assert_eq!(found, None),
            _ => prop_assert_eq!(found, Some(bucket.as_str())),
        }
        if endpoint.addressing() != Addressing::VirtualHosted {
            prop_assert_eq!(&address.authority, &endpoint.authority());
        }
        prop_assert!(read.host.len() <= 253);
    }

    #[test]
    fn b11_a_bucket_or_the_service_has_no_key(endpoint in endpoint(), bucket in bucket(), key in key()) {
        let address = endpoint.address(Some(&bucket), None);
        check(&endpoint, &address)?;
        let url = address.url();
        prop_assert_eq!(found(&endpoint, &read(&url)).1, "");
        for key in [None, Some(&key)] {
            let service = endpoint.address(None, key);
            check(&endpoint, &service)?;
            prop_assert_eq!(&service.authority, &endpoint.authority());
            prop_assert_eq!(&service.path, "/");
        }
    }

    #[test]
    fn an_encoded_text_decodes_to_itself(text in any::<String>()) {
        prop_assert_eq!(decoded(&encode_component(&text)), &*text);
        prop_assert_eq!(decoded(&encode_key(&text)), &*text);
        prop_assert_eq!(encode_key(&text).matches('/').count(), text.matches('/').count());
        prop_assert_eq!(encode_key(&text).replace('/', "%2F"), encode_component(&text));
    }
}

//! Versions, appends, links, restorations, tags and callbacks, as OSS documents them.
#![allow(clippy::unwrap_used)]

mod common;

use core::time::Duration;

use base64ct::{Base64, Encoding as _};
use common::{BUCKET, Bench};
use oss_emulator::CallbackOutcome;

const ENABLED: &str = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
const SUSPENDED: &str = "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>";

#[test]
fn versions_pile_up_while_versioning_is_enabled() {
    let mut bench = Bench::new(0);
    assert_eq!(bench.get("", "versioning").text().matches("Status").count(), 0);
    bench.put("k", "", &[], "old");
    assert_eq!(bench.put("", "versioning", &[], ENABLED).status, 200);
    assert_eq!(bench.get("", "versioning").element("Status"), "Enabled");
    let id = |answer: &common::Answer| answer.header("x-oss-version-id").unwrap().to_owned();
    let one = id(&bench.put("k", "", &[], "one"));
    // Has no effect where versions are kept.
    let two = id(&bench.put("k", "", &[("x-oss-forbid-overwrite", "true")], "two"));
    assert!(one.len() == 64 && one < two, "{one} {two}");
    for (query, text) in [
        ("", "two"),
        (&format!("versionId={two}"), "two"),
        (&format!("versionId={one}"), "one"),
        ("versionId=null", "old"),
    ] {
        assert_eq!(bench.get("k", query).text(), text, "{query}");
    }
    assert_eq!(bench.get("k", "versionId=CAEQ").outcome(), "404 NoSuchVersion");
    assert_eq!(bench.get("none", "versionId=CAEQ").outcome(), "404 NoSuchVersion");
    assert_eq!(bench.get("k", "versionId=").outcome(), "400 InvalidArgument");

    let deleted = bench.delete("k", "");
    assert_eq!((deleted.status, deleted.header("x-oss-delete-marker")), (204, Some("true")));
    let marker = id(&deleted);
    let gone = bench.get("k", "");
    assert_eq!((gone.outcome(), gone.header("x-oss-delete-marker")), ("404 NoSuchKey".into(), Some("true")));
    assert_eq!(gone.header("x-oss-version-id"), Some(marker.as_str()));
    let named = bench.get("k", &format!("versionId={marker}"));
    assert_eq!((named.outcome(), named.header("allow")), ("405 MethodNotAllowed".into(), Some("DELETE")));
    assert_eq!(bench.get("", "prefix=k").elements("Key"), [""; 0]);

    let list = bench.get("", "versions");
    assert_eq!(list.elements("VersionId"), [marker.as_str(), &two, &one, "null"]);
    assert_eq!(list.elements("IsLatest"), ["true", "false", "false", "false"]);
    assert_eq!(list.elements("DeleteMarker").len(), 1);
    let page = bench.get("", "max-keys=2&versions");
    assert_eq!(page.elements("VersionId"), [marker.as_str(), &two]);
    assert_eq!(
        (page.element("NextKeyMarker"), page.element("NextVersionIdMarker")),
        ("k".into(), two.clone())
    );
    // Also when the version that the page ended with is gone by then.
    bench.delete("k", &format!("versionId={two}"));
    let rest = bench.get("", &format!("key-marker=k&version-id-marker={two}&versions"));
    assert_eq!(rest.elements("VersionId"), [one.as_str(), "null"]);
    assert_eq!(bench.get("", "key-marker=k&versions").elements("VersionId"), [""; 0]);
    assert_eq!(bench.get("", "version-id-marker=x&versions").outcome(), "400 InvalidArgument");

    let undeleted = bench.delete("k", &format!("versionId={marker}"));
    assert_eq!(undeleted.header("x-oss-delete-marker"), Some("true"));
    assert_eq!(bench.get("k", "").text(), "one");
    assert_eq!(bench.emulator.versions(BUCKET, "k").count(), 2);
    let stat = bench.get("", "stat");
    assert_eq!((stat.element("ObjectCount"), stat.element("DeleteMarkerCount")), ("2".into(), "0".into()));
    assert_eq!(bench.get("", "bucketInfo").element("Versioning"), "Enabled");
}

#[test]
fn a_suspended_bucket_has_one_null_version() {
    let mut bench = Bench::new(0);
    bench.put("", "versioning", &[], ENABLED);
    let kept = bench.put("k", "", &[], "kept").header("x-oss-version-id").unwrap().to_owned();
    bench.put("", "versioning", &[], SUSPENDED);
    for text in ["a", "b"] {
        let put = bench.put("k", "", &[("x-oss-forbid-overwrite", "true")], text);
        assert_eq!((put.status, put.header("x-oss-version-id")), (200, Some("null")));
    }
    assert_eq!(bench.get("", "versions").elements("VersionId"), ["null", &kept]);
    let deleted = bench.delete("k", "");
    assert_eq!(deleted.header("x-oss-version-id"), Some("null"));
    let list = bench.get("", "versions");
    assert_eq!((list.elements("Version").len(), list.elements("DeleteMarker").len()), (1, 1));
    let body = format!(
        "<Delete><Object><Key>k</Key><VersionId>{kept}</VersionId></Object><Object><Key>k</Key>\
         <VersionId>null</VersionId></Object><Object><Key>new</Key></Object></Delete>"
    );
    let many = bench.post("", "delete", &body);
    assert_eq!(many.elements("VersionId"), [kept.as_str(), "null"]);
    assert_eq!(many.elements("DeleteMarkerVersionId"), ["null", "null"]);
    assert_eq!(bench.send("DELETE", &format!("/{BUCKET}/"), "", &[], b"").outcome(), "409 BucketNotEmpty");
    bench.delete("new", "versionId=null");
    assert_eq!(bench.send("DELETE", &format!("/{BUCKET}/"), "", &[], b"").outcome(), "204");
}

#[test]
fn copies_name_versions() {
    let mut bench = Bench::new(0);
    bench.put("", "versioning", &[], ENABLED);
    let old = bench.put("k", "", &[("x-oss-meta-a", "1")], "old");
    let old = old.header("x-oss-version-id").unwrap().to_owned();
    bench.put("k", "", &[], "new");
    let source = format!("/{BUCKET}/k?versionId={old}");
    // Onto itself: an older version becomes the current one, metadata and all.
    let copy = bench.put("k", "", &[("x-oss-copy-source", &source)], "");
    assert_eq!(copy.header("x-oss-copy-source-version-id"), Some(old.as_str()));
    assert_ne!(copy.header("x-oss-version-id"), Some(old.as_str()));
    let got = bench.get("k", "");
    assert_eq!((got.text(), got.header("x-oss-meta-a")), ("old", Some("1")));
    let marker = bench.delete("k", "").header("x-oss-version-id").unwrap().to_owned();
    for (source, expected) in
        [("k".to_owned(), "404 NoSuchKey"), (format!("k?versionId={marker}"), "400 InvalidArgument")]
    {
        let source = format!("/{BUCKET}/{source}");
        assert_eq!(bench.put("c", "", &[("x-oss-copy-source", &source)], "").outcome(), expected);
    }
}

#[test]
fn appends_follow_positions() {
    let mut bench = Bench::new(0);
    assert_eq!(bench.post("a", "append&position=1", "x").outcome(), "409 PositionNotEqualToLength");
    let meta = [("x-oss-meta-a", "1"), ("x-oss-tagging", "t=1")];
    let first = bench.call("POST", "a", "append&position=0", &meta, b"1234");
    assert_eq!(first.header("x-oss-next-append-position"), Some("4"));
    let second = bench.call("POST", "a", "append&position=4", &[("x-oss-meta-a", "2")], b"56789");
    assert_eq!(second.header("x-oss-hash-crc64ecma"), Some("11051210869376104954"));
    let wrong = bench.post("a", "append&position=4", "x");
    assert_eq!(
        (wrong.outcome(), wrong.element("EC")),
        ("409 PositionNotEqualToLength".into(), "0026-00000016".into())
    );
    assert_eq!(wrong.header("x-oss-next-append-position"), Some("9"));
    let got = bench.get("a", "");
    assert_eq!((got.text(), got.header("x-oss-meta-a")), ("123456789", Some("1")));
    assert_eq!(got.header("x-oss-object-type"), Some("Appendable"));
    assert_eq!(got.header("content-md5"), None);
    bench.put("n", "", &[], "x");
    for (key, query, expected) in [
        ("n", "append&position=1", "409 ObjectNotAppendable"),
        ("a", "append", "400 InvalidArgument"),
        ("a", "append&position=x", "400 InvalidArgument"),
        ("a", "append&position=9&versionId=x", "400 InvalidArgument"),
        ("n", "position=1&seal", "409 ObjectNotAppendable"),
        ("a", "position=1&seal", "409 PositionNotEqualToLength"),
        ("none", "position=0&seal", "404 NoSuchKey"),
    ] {
        assert_eq!(bench.post(key, query, "").outcome(), expected, "{key} {query}");
    }
    let cold = [("x-oss-storage-class", "ColdArchive")];
    assert_eq!(bench.call("POST", "c", "append&position=0", &cold, b"x").outcome(), "400 InvalidArgument");

    let sealed = bench.post("a", "position=9&seal", "").header("x-oss-sealed-time").unwrap().to_owned();
    bench.now += Duration::from_secs(60);
    assert_eq!(bench.post("a", "position=9&seal", "").header("x-oss-sealed-time"), Some(sealed.as_str()));
    assert_eq!(bench.get("a", "").header("x-oss-sealed-time"), Some(sealed.as_str()));
    assert_eq!(bench.post("a", "append&position=9", "x").outcome(), "409 ObjectNotAppendable");
}

#[test]
fn appends_add_to_the_current_version() {
    let mut bench = Bench::new(0);
    bench.put("", "versioning", &[], ENABLED);
    let first = bench.post("a", "append&position=0", "12").header("x-oss-version-id").unwrap().to_owned();
    let second = bench.post("a", "append&position=2", "34");
    assert_eq!(second.header("x-oss-version-id"), Some(first.as_str()));
    assert_eq!(bench.get("", "versions").elements("VersionId"), [first.as_str()]);
    bench.delete("a", "");
    assert_eq!(bench.post("a", "append&position=4", "x").outcome(), "409 PositionNotEqualToLength");
    assert_eq!(bench.post("a", "append&position=0", "new").status, 200);
    assert_eq!(bench.get("", "versions").elements("VersionId").len(), 3);
    assert_eq!(bench.get("a", &format!("versionId={first}")).text(), "1234");
}

#[test]
fn links_are_followed_once() {
    let mut bench = Bench::new(0);
    bench.put("dir/目标", "", &[("content-type", "text/x")], "content");
    bench.now += Duration::from_secs(60);
    let target = [("x-oss-symlink-target", "dir%2F%E7%9B%AE%E6%A0%87"), ("x-oss-meta-l", "1")];
    assert_eq!(bench.put("link", "symlink", &target, "").status, 200);
    let own = bench.get("link", "symlink");
    assert_eq!(own.header("x-oss-symlink-target"), Some("dir%2F%E7%9B%AE%E6%A0%87"));
    assert_eq!(own.header("x-oss-meta-l"), Some("1"));
    let got = bench.get("link", "");
    assert_eq!((got.text(), got.header("x-oss-object-type")), ("content", Some("Symlink")));
    assert_eq!(got.header("content-type"), Some("application/octet-stream"));
    assert_eq!(got.header("etag"), bench.get("dir/目标", "").header("etag"));
    assert_eq!(got.header("last-modified"), own.header("last-modified"));
    assert_eq!(bench.call("HEAD", "link", "objectMeta", &[], b"").header("content-length"), Some("0"));
    bench.put("link2", "symlink", &[("x-oss-symlink-target", "link")], "");
    assert_eq!(bench.get("link2", "").outcome(), "400 InvalidTargetType");
    bench.delete("dir/目标", "");
    assert_eq!(bench.get("link", "").outcome(), "404 SymlinkTargetNotExist");
    assert_eq!(bench.get("link", "symlink").status, 200);
    for (key, query, headers, expected) in [
        (
            "link",
            "symlink",
            &[("x-oss-symlink-target", "x"), ("x-oss-forbid-overwrite", "true")][..],
            "409 FileAlreadyExists",
        ),
        ("x", "symlink", &[], "400 MissingArgument"),
        ("x", "symlink", &[("x-oss-symlink-target", "/x")], "400 InvalidObjectName"),
    ] {
        assert_eq!(bench.put(key, query, headers, "").outcome(), expected);
    }
    bench.put("plain", "", &[], "");
    assert_eq!(bench.get("plain", "symlink").outcome(), "400 NotSymlink");
    // A copy of a link is a link.
    bench.put("dir/目标", "", &[], "again");
    bench.put("copy", "", &[("x-oss-copy-source", "/examplebucket/link")], "");
    assert_eq!(bench.get("copy", "").text(), "again");
}

#[test]
fn restorations_take_their_time_and_run_out() {
    let mut bench = Bench::new(0);
    let put = |bench: &mut Bench, class| bench.put(class, "", &[("x-oss-storage-class", class)], "x").status;
    for class in ["Archive", "ColdArchive", "DeepColdArchive", "IA"] {
        assert_eq!(put(&mut bench, class), 200);
    }
    let request = |days: &str, tier: &str| {
        let tier = if tier.is_empty() {
            String::new()
        } else {
            format!("<JobParameters><Tier>{tier}</Tier></JobParameters>")
        };
        format!("<RestoreRequest><Days>{days}</Days>{tier}</RestoreRequest>")
    };
    for (key, body, expected) in [
        ("IA", String::new(), "400 OperationNotSupported"),
        ("Archive", request("8", ""), "400 InvalidArgument"),
        ("ColdArchive", request("366", ""), "400 InvalidArgument"),
        ("ColdArchive", request("1", "Now"), "400 MalformedXML"),
        ("DeepColdArchive", request("1", "Bulk"), "400 MalformedXML"),
        ("none", String::new(), "404 NoSuchKey"),
    ] {
        assert_eq!(bench.post(key, "restore", &body).outcome(), expected, "{key} {body}");
    }
    assert_eq!(bench.get("Archive", "").outcome(), "403 InvalidObjectState");
    assert_eq!(bench.post("Archive", "cleanRestoredObject", "").outcome(), "409 ArchiveRestoreFileStale");
    assert_eq!(bench.post("Archive", "restore", "").outcome(), "202");
    let restore = |bench: &mut Bench, key| {
        bench.call("HEAD", key, "", &[], b"").header("x-oss-restore").map(str::to_owned)
    };
    assert_eq!(restore(&mut bench, "Archive").as_deref(), Some("ongoing-request=\"true\""));
    assert_eq!(bench.post("Archive", "restore", "").outcome(), "409 RestoreAlreadyInProgress");
    assert_eq!(bench.post("Archive", "cleanRestoredObject", "").outcome(), "409 ArchiveRestoreNotFinished");
    let copy = [("x-oss-copy-source", "/examplebucket/Archive"), ("x-oss-storage-class", "Standard")];
    assert_eq!(bench.put("copy", "", &copy, "").outcome(), "403 InvalidObjectState");
    bench.now += Duration::from_secs(61);
    assert_eq!(bench.get("Archive", "").text(), "x");
    assert_eq!(
        restore(&mut bench, "Archive").as_deref(),
        Some("ongoing-request=\"false\", expiry-date=\"Wed, 15 Nov 2023 22:14:20 GMT\"")
    );
    assert!(bench.get("", "list-type=2").element("RestoreInfo").starts_with("ongoing-request=&quot;false"));
    assert_eq!(bench.put("copy", "", &copy, "").status, 200);
    // A second request prolongs.
    assert_eq!(bench.post("Archive", "restore", &request("2", "")).outcome(), "200");
    bench.now += Duration::from_secs(36 * 3600);
    assert_eq!(bench.get("Archive", "").status, 200);
    bench.now += Duration::from_secs(36 * 3600);
    assert_eq!(bench.get("Archive", "").outcome(), "403 InvalidObjectState");
    assert_eq!(restore(&mut bench, "Archive"), None);

    let cold = bench.post("ColdArchive", "restore", &request("3", "Bulk"));
    assert_eq!((cold.status, cold.header("x-oss-object-restore-priority")), (202, Some("Bulk")));
    assert_eq!(bench.post("ColdArchive", "restore", &request("3", "Expedited")).outcome(), "202");
    bench.now += Duration::from_secs(3600);
    assert_eq!(bench.get("ColdArchive", "").status, 200);
    assert_eq!(bench.post("ColdArchive", "cleanRestoredObject", "").outcome(), "200");
    assert_eq!(bench.get("ColdArchive", "").outcome(), "403 InvalidObjectState");
    let direct = "<ArchiveDirectReadConfiguration><Enabled>true</Enabled></ArchiveDirectReadConfiguration>";
    bench.put("", "bucketArchiveDirectRead", &[], direct);
    assert_eq!(bench.get("Archive", "").status, 200);
    assert_eq!(bench.get("DeepColdArchive", "").outcome(), "403 InvalidObjectState");
}

#[test]
fn tags_are_put_read_and_deleted() {
    let mut bench = Bench::new(0);
    bench.put("k", "", &[("x-oss-tagging", "h=1")], "x");
    let modified = bench.get("k", "").header("last-modified").map(str::to_owned);
    bench.now += Duration::from_secs(60);
    let tag = |key: &str, value: &str| format!("<Tag><Key>{key}</Key><Value>{value}</Value></Tag>");
    let tagging = |tags: &str| format!("<Tagging><TagSet>{tags}</TagSet></Tagging>");
    assert_eq!(bench.put("k", "tagging", &[], &tagging(&(tag("a b", "1") + &tag("c", "")))).status, 200);
    assert_eq!(
        bench.get("k", "tagging").text().split_once('\n').unwrap().1,
        tagging(&(tag("a b", "1") + &tag("c", "")))
    );
    let got = bench.get("k", "");
    assert_eq!(
        (got.header("x-oss-tagging-count"), got.header("last-modified")),
        (Some("2"), modified.as_deref())
    );
    let eleven: String = (0..11).map(|n| tag(&format!("k{n}"), "v")).collect();
    for (body, expected) in [
        (tagging(&(tag("a", "1") + &tag("a", "2"))), "400 RepeatedTags"),
        (tagging(&tag("", "1")), "400 InvalidArgument"),
        (tagging(&tag("a*", "1")), "400 InvalidArgument"),
        (tagging(&eleven), "400 InvalidArgument"),
        ("<Tagging/>".to_owned(), "400 MalformedXML"),
        ("<TagSet/>".to_owned(), "400 MalformedXML"),
    ] {
        assert_eq!(bench.put("k", "tagging", &[], &body).outcome(), expected, "{body}");
    }
    assert_eq!(bench.delete("k", "tagging").outcome(), "204");
    assert_eq!(
        bench.get("k", "tagging").text().split_once('\n').unwrap().1,
        "<Tagging><TagSet></TagSet></Tagging>"
    );
    assert_eq!(bench.get("none", "tagging").outcome(), "404 NoSuchKey");
}

#[test]
fn a_hook_answers_callbacks() {
    let encoded = |json: &str| Base64::encode_string(json.as_bytes());
    let callback = encoded(
        r#"{"callbackUrl":"http://app.example/done",
            "callbackBody":"{\"k\":${object},\"s\":${size},\"v\":${x:v}}",
            "callbackBodyType":"application/json"}"#,
    );
    let variables = encoded(r#"{"x:v":"a\"b"}"#);
    let headers = [("x-oss-callback", callback.as_str()), ("x-oss-callback-var", &variables)];
    // Nobody answers: the object is stored all the same.
    let mut bench = Bench::new(0);
    let put = bench.put("k", "", &headers, "12345");
    assert_eq!((put.outcome(), put.element("EC")), ("203 CallbackFailed".into(), "0007-00000203".into()));
    assert!(put.header("etag").is_some());
    assert_eq!(bench.get("k", "").text(), "12345");

    let mut bench = Bench::with(|config| {
        config.with_callback(|call| match (call.url.as_str(), call.body.as_str()) {
            ("http://app.example/done", r#"{"k":"k","s":5,"v":"a\"b"}"#) if call.bucket == BUCKET => {
                CallbackOutcome::Answered("{\"ok\":true}".to_owned())
            }
            ("http://app.example/form", "key=a%20b&size=5&none=") => {
                CallbackOutcome::Answered("{}".to_owned())
            }
            ("http://app.example/html", _) => CallbackOutcome::Answered("<html>".to_owned()),
            _ => CallbackOutcome::Failed(call.body.clone()),
        })
    });
    let put = bench.put("k", "", &headers, "12345");
    assert_eq!((put.status, put.text()), (200, "{\"ok\":true}"));
    assert_eq!(put.header("content-type"), Some("application/json"));
    let form = encoded(
        r#"{"callbackUrl":"http://app.example/form","callbackBody":"key=${object}&size=${size}&none=${x}"}"#,
    );
    assert_eq!(bench.put("a b", "", &[("x-oss-callback", &form)], "12345").text(), "{}");
    let html = encoded(r#"{"callbackUrl":"http://app.example/html","callbackBody":"x"}"#);
    assert_eq!(bench.put("k", "", &[("x-oss-callback", &html)], "").outcome(), "203 CallbackFailed");

    let id = bench.post("m", "uploads", "").element("UploadId");
    bench.put("m", &format!("partNumber=1&uploadId={id}"), &[], "part1");
    let all = [("x-oss-callback", form.as_str()), ("x-oss-complete-all", "yes")];
    let done = bench.call("POST", "m", &format!("uploadId={id}"), &all, b"");
    assert_eq!(done.outcome(), "203 CallbackFailed");
    assert_eq!(bench.get("m", "").text(), "part1");
    for (headers, expected) in [
        (&[("x-oss-callback", "e30=")][..], "400 InvalidArgument"),
        (&[("x-oss-callback", "?")], "400 InvalidArgument"),
        (&[("x-oss-callback", &form), ("x-oss-callback-var", "e30")], "200"),
        (&[("x-oss-callback", &form), ("x-oss-callback-var", &form)], "400 InvalidArgument"),
    ] {
        assert_eq!(bench.put("a b", "", headers, "12345").outcome(), expected, "{headers:?}");
    }
    let other = bench.call("POST", "k", "append&position=0", &[("x-oss-callback", &form)], b"x");
    assert_eq!(other.outcome(), "400 NotImplemented");
}

//! Every operation over a socket, with the answers that clients rely on.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

extern crate alloc;

use alloc::collections::BTreeSet;

use common::{Answer, BUCKET, Client, object, server};

#[test]
fn buckets_are_created_listed_described_and_deleted() {
    let (server, client) = server();
    let bucket = |method, name: &str, query: &[_], headers: &[_], body: &[u8]| {
        client.send(method, &format!("/{name}/"), query, headers, body)
    };
    let body = b"<CreateBucketConfiguration><StorageClass>IA</StorageClass></CreateBucketConfiguration>";
    let made = bucket("PUT", "second", &[], &[("x-oss-acl", "public-read")], body);
    assert_eq!((made.status, made.header("location")), (200, Some("/second")));
    for (name, body, expected) in [
        (
            "second",
            &b"<CreateBucketConfiguration><StorageClass>Standard</StorageClass></CreateBucketConfiguration>"
                [..],
            "409 BucketAlreadyExists",
        ),
        ("Second", b"", "400 InvalidBucketName"),
        ("third", b"<CreateBucketConfiguration>", "400 MalformedXML"),
        ("third", b"<Other/>", "400 MalformedXML"),
        (
            "third",
            b"<CreateBucketConfiguration><StorageClass>Fast</StorageClass></CreateBucketConfiguration>",
            "400 InvalidArgument",
        ),
    ] {
        assert_eq!(bucket("PUT", name, &[], &[], body).outcome(), expected, "{name}");
    }

    // One's own bucket again: its metadata is overwritten.
    for acl in ["private", "public-read"] {
        assert_eq!(bucket("PUT", "second", &[], &[("x-oss-acl", acl)], b"").status, 200);
        assert_eq!(bucket("GET", "second", &[("acl", "")], &[], b"").element("Grant"), acl);
    }

    let list = client.send("GET", "/", &[], &[], b"");
    assert_eq!(list.elements("Name"), [BUCKET, "second"]);
    assert_eq!(list.element("Location"), "oss-cn-hangzhou");
    assert_eq!(list.element("Region"), "cn-hangzhou");
    assert_eq!(list.element("ExtranetEndpoint"), server.endpoint());
    assert_eq!(list.elements("StorageClass"), ["Standard", "IA"]);
    let page = client.send("GET", "/", &[("max-keys", "1")], &[], b"");
    assert_eq!((page.element("IsTruncated"), page.element("NextMarker")), ("true".into(), BUCKET.into()));
    let page = client.send("GET", "/", &[("marker", BUCKET), ("prefix", "se")], &[], b"");
    assert_eq!((page.elements("Name"), page.element("IsTruncated")), (vec!["second".into()], "false".into()));

    let info = bucket("GET", "second", &[("bucketInfo", "")], &[], b"");
    assert_eq!(
        (info.element("Grant"), info.element("DataRedundancyType")),
        ("public-read".into(), "LRS".into())
    );
    assert_eq!(bucket("PUT", "second", &[("acl", "")], &[("x-oss-acl", "private")], b"").status, 200);
    assert_eq!(bucket("GET", "second", &[("acl", "")], &[], b"").element("Grant"), "private");
    let location = bucket("GET", "second", &[("location", "")], &[], b"");
    assert_eq!(location.element("LocationConstraint"), "oss-cn-hangzhou");
    assert_eq!(bucket("GET", "second", &[("stat", "")], &[], b"").element("ObjectCount"), "0");

    client.put("k", &[], b"x");
    assert_eq!(bucket("DELETE", BUCKET, &[], &[], b"").outcome(), "409 BucketNotEmpty");
    assert_eq!(bucket("DELETE", "second", &[], &[], b"").outcome(), "204");
    let gone = bucket("DELETE", "second", &[], &[], b"");
    assert_eq!((gone.outcome(), gone.element("BucketName")), ("404 NoSuchBucket".into(), "second".into()));
}

#[test]
fn an_object_keeps_its_headers_sums_and_metadata() {
    let (_server, client) = server();
    let headers = [
        ("Content-Type", "text/plain"),
        ("Cache-Control", "no-cache"),
        ("Content-Disposition", "attachment"),
        ("Content-MD5", "JfnnlDI7RTiF9RgfG2JNCw=="),
        ("x-oss-meta-Author", "alice"),
        ("x-oss-meta-name", "名"),
        ("x-oss-storage-class", "IA"),
        ("x-oss-tagging", "a=1&b=2"),
        ("x-oss-server-side-encryption", "AES256"),
    ];
    let put = client.put("k", &headers, b"123456789");
    for answer in [&put, &client.call("GET", "k", &[], &[]), &client.call("HEAD", "k", &[], &[])] {
        assert_eq!(answer.header("etag"), Some("\"25F9E794323B453885F5181F1B624D0B\""));
        assert_eq!(answer.header("x-oss-hash-crc64ecma"), Some("11051210869376104954"));
        assert_eq!(answer.header("content-md5"), Some("JfnnlDI7RTiF9RgfG2JNCw=="));
        assert_eq!(answer.header("x-oss-server-side-encryption"), Some("AES256"));
    }
    let got = client.call("GET", "k", &[], &[]);
    for (name, value) in [
        ("content-type", "text/plain"),
        ("cache-control", "no-cache"),
        ("content-disposition", "attachment"),
        ("x-oss-meta-author", "alice"),
        ("x-oss-meta-name", "名"),
        ("x-oss-object-type", "Normal"),
        ("x-oss-storage-class", "IA"),
        ("x-oss-tagging-count", "2"),
        ("content-length", "9"),
        ("accept-ranges", "bytes"),
    ] {
        assert_eq!(got.header(name), Some(value), "{name}");
    }
    assert!(got.header("last-modified").unwrap().ends_with(" GMT"));
    client.put("plain", &[], b"");
    let plain = client.call("GET", "plain", &[("response-content-type", "a/b")], &[]);
    assert_eq!((plain.header("content-type"), plain.header("content-length")), (Some("a/b"), Some("0")));
    let plain = client.call("GET", "plain", &[], &[]);
    assert_eq!(plain.header("content-type"), Some("application/octet-stream"));
}

#[test]
fn writes_that_oss_refuses_leave_nothing() {
    let (server, client) = server();
    let long = "v".repeat(8 * 1024);
    for (key, headers, expected) in [
        ("k", &[("Content-MD5", "AAAAAAAAAAAAAAAAAAAAAA==")][..], "400 InvalidDigest"),
        ("k", &[("If-None-Match", "*")], "400 NotImplemented"),
        ("k", &[("If-Match", "\"x\"")], "400 NotImplemented"),
        ("k", &[("x-oss-forbid-overwrite", "yes")], "400 InvalidArgument"),
        ("k", &[("x-oss-object-acl", "public")], "400 InvalidArgument"),
        ("k", &[("x-oss-storage-class", "Fast")], "400 InvalidArgument"),
        ("k", &[("x-oss-tagging", "a=1&a=2")], "400 InvalidArgument"),
        ("k", &[("x-oss-traffic-limit", "1")], "400 InvalidArgument"),
        ("k", &[("x-oss-server-side-encryption", "ROT13")], "400 InvalidEncryptionAlgorithmError"),
        ("k", &[("x-oss-meta-a", &long)], "400 InvalidArgument"),
        ("k", &[("x-oss-callback", "e30=")], "400 InvalidArgument"),
        ("k", &[("x-oss-copy-source", "/none/k")], "404 NoSuchBucket"),
        ("k", &[("x-oss-copy-source", "k")], "400 InvalidArgument"),
        ("/k", &[], "400 InvalidObjectName"),
        ("\\k", &[], "400 InvalidObjectName"),
    ] {
        assert_eq!(client.put(key, headers, b"x").outcome(), expected, "{key} {headers:?}");
    }
    let head = client.signed_head("PUT", &object("k"), &[], &[]);
    assert_eq!(client.exchange(head.as_bytes()).outcome(), "411 MissingContentLength");
    let head = client.signed_head("PUT", &object("k"), &[], &[("Content-Length", "5368709121")]);
    assert_eq!(client.exchange(head.as_bytes()).outcome(), "400 EntityTooLarge");
    let none = client.send("PUT", "/nosuchbucket/k", &[], &[], b"x");
    assert_eq!(none.outcome(), "404 NoSuchBucket");
    assert_eq!(server.with(|emulator| emulator.objects(BUCKET).count()), 0);

    client.put("k", &[], b"old");
    let refused = client.put("k", &[("x-oss-forbid-overwrite", "true")], b"new");
    assert_eq!(
        (refused.outcome(), refused.element("EC")),
        ("409 FileAlreadyExists".into(), "0026-00000002".into())
    );
    assert_eq!(client.call("GET", "k", &[], &[]).text(), "old");
}

#[test]
fn reads_take_ranges_and_conditions() {
    let (_server, client) = server();
    let put = client.put("k", &[], b"0123456789");
    let (etag, crc) = (put.header("etag").unwrap(), put.header("x-oss-hash-crc64ecma"));
    let standard = ("x-oss-range-behavior", "standard");
    for (headers, status, range, body) in [
        (&[("Range", "bytes=2-4")][..], 206, Some("bytes 2-4/10"), "234"),
        (&[("Range", "bytes=-3")], 206, Some("bytes 7-9/10"), "789"),
        (&[("Range", "bytes=8-20")], 200, None, "0123456789"),
        (&[("Range", "bytes=8-20"), standard], 206, Some("bytes 8-9/10"), "89"),
        (&[("Range", "bytes=10-")], 200, None, "0123456789"),
        (&[("If-Match", etag)], 200, None, "0123456789"),
        (&[("If-None-Match", "\"other\"")], 200, None, "0123456789"),
        (&[("If-Unmodified-Since", "Fri, 31 Dec 9999 23:59:59 GMT")], 200, None, "0123456789"),
        (&[("If-None-Match", etag)], 304, None, ""),
        (&[("If-Modified-Since", "Fri, 31 Dec 9999 23:59:59 GMT")], 304, None, ""),
    ] {
        let answer = client.call("GET", "k", &[], headers);
        let seen = (answer.status, answer.header("content-range"), answer.text());
        assert_eq!(seen, (status, range, body.to_owned()), "{headers:?}");
        let expected = if status == 304 { None } else { crc };
        assert_eq!(answer.header("x-oss-hash-crc64ecma"), expected, "{headers:?}");
    }
    let unsatisfiable = client.call("GET", "k", &[], &[("Range", "bytes=10-"), standard]);
    assert_eq!(unsatisfiable.outcome(), "416 InvalidRange");
    assert_eq!(unsatisfiable.header("content-range"), Some("bytes */10"));
    let failed = client.call("GET", "k", &[], &[("If-Match", "\"other\"")]);
    assert_eq!(
        (failed.outcome(), failed.element("EC")),
        ("412 PreconditionFailed".into(), "0017-00001001".into())
    );
    let missing = client.call("GET", "none", &[], &[]);
    assert_eq!((missing.outcome(), missing.element("Key")), ("404 NoSuchKey".into(), "none".into()));
    assert_eq!(missing.element("RequestId"), missing.header("x-oss-request-id").unwrap());
    assert_eq!(missing.element("HostId"), client.address.to_string());
    client.put("cold", &[("x-oss-storage-class", "ColdArchive")], b"x");
    assert_eq!(client.call("GET", "cold", &[], &[]).outcome(), "403 InvalidObjectState");
    assert_eq!(client.call("HEAD", "cold", &[], &[]).status, 200);
}

#[test]
fn copies_follow_their_directives() {
    let (_server, client) = server();
    let headers = [("Content-Type", "text/plain"), ("x-oss-meta-a", "1"), ("x-oss-tagging", "t=1")];
    let put = client.put("a b/中", &headers, b"content");
    let source = ("x-oss-copy-source", "/examplebucket/a%20b/%E4%B8%AD");
    let copy = |key, more: &[_]| client.put(key, &[&[source], more].concat(), b"");
    let copied = copy("copy", &[]);
    assert_eq!(copied.element("ETag").replace("&quot;", "\""), put.header("etag").unwrap());
    assert!(copied.element("LastModified").ends_with(".000Z"));
    assert_eq!(copied.header("x-oss-hash-crc64ecma"), put.header("x-oss-hash-crc64ecma"));
    let described = |key| {
        let head = client.call("HEAD", key, &[], &[]);
        let of = |name| head.header(name).unwrap_or("-").to_owned();
        [of("content-type"), of("x-oss-meta-a"), of("x-oss-tagging-count")].join(" ")
    };
    assert_eq!(described("copy"), "text/plain 1 1");
    copy("copy", &[("x-oss-metadata-directive", "REPLACE"), ("x-oss-meta-a", "2")]);
    assert_eq!(described("copy"), "application/octet-stream 2 1");
    copy("copy", &[("x-oss-tagging-directive", "Replace"), ("x-oss-meta-a", "3")]);
    assert_eq!(described("copy"), "text/plain 1 -");
    copy("a b/中", &[("x-oss-meta-a", "4")]);
    assert_eq!(described("a b/中"), "application/octet-stream 4 1");
    for (more, expected) in [
        (&[("x-oss-metadata-directive", "MERGE")][..], "400 InvalidArgument"),
        (&[("x-oss-copy-source-if-match", "\"x\"")], "412 PreconditionFailed"),
        (&[("x-oss-copy-source-if-none-match", put.header("etag").unwrap())], "304"),
        (&[("x-oss-forbid-overwrite", "true")], "409 FileAlreadyExists"),
    ] {
        assert_eq!(copy("copy", more).outcome(), expected, "{more:?}");
    }
    let version = [("x-oss-copy-source", "/examplebucket/copy?versionId=x")];
    assert_eq!(client.put("k", &version, b"").outcome(), "404 NoSuchVersion");
    let missing = [("x-oss-copy-source", "/examplebucket/none")];
    assert_eq!(client.put("k", &missing, b"").outcome(), "404 NoSuchKey");
}

#[test]
fn listings_page_and_group() {
    let (_server, client) = server();
    for key in ["a", "b/1", "b/2", "b/c/3", "c d", "d/", "e/1"] {
        client.put(key, &[], b"x");
    }
    for max in 1..=7 {
        let (mut names, mut query_more, mut pages) = (vec![], None::<String>, 0);
        loop {
            let max = max.to_string();
            let mut query = vec![("list-type", "2"), ("delimiter", "/"), ("max-keys", &max)];
            if let Some(token) = &query_more {
                query.push(("continuation-token", token));
            }
            let page = client.call("GET", "", &query, &[]);
            names.extend(page.elements("Key"));
            names.extend(page.elements("Prefix").into_iter().filter(|prefix| !prefix.is_empty()));
            pages += 1;
            assert!(pages < 10);
            if page.element("IsTruncated") == "false" {
                break;
            }
            query_more = Some(page.element("NextContinuationToken"));
        }
        let distinct: BTreeSet<_> = names.iter().map(String::as_str).collect();
        assert_eq!(distinct, BTreeSet::from(["a", "b/", "c d", "d/", "e/"]), "{max}");
        assert_eq!(names.len(), distinct.len(), "{max}");
    }
    let v1 = client.call("GET", "", &[("max-keys", "2"), ("marker", "b/1"), ("prefix", "b/")], &[]);
    assert_eq!(
        (v1.elements("Key"), v1.element("NextMarker")),
        (vec!["b/2".into(), "b/c/3".into()], "".into())
    );
    assert_eq!(v1.element("ID"), "1234567890123456");
    let v2 =
        client.call("GET", "", &[("list-type", "2"), ("start-after", "b/2"), ("encoding-type", "url")], &[]);
    assert_eq!(v2.elements("Key"), ["b%2Fc%2F3", "c%20d", "d%2F", "e%2F1"]);
    assert_eq!((v2.element("KeyCount"), v2.element("StartAfter")), ("4".into(), "b%2F2".into()));
    assert!(v2.elements("Owner").is_empty());
    let owned = client.call("GET", "", &[("list-type", "2"), ("fetch-owner", "true")], &[]);
    assert_eq!(owned.elements("Owner").len(), 7);
    for query in [
        &[("list-type", "3")][..],
        &[("list-type", "2"), ("max-keys", "1001")],
        &[("max-keys", "0")],
        &[("max-keys", "-1")],
        &[("encoding-type", "gzip")],
        &[("list-type", "2"), ("continuation-token", "%")],
        &[("prefix", &"p".repeat(1024))],
    ] {
        assert_eq!(client.call("GET", "", query, &[]).outcome(), "400 InvalidArgument", "{query:?}");
    }
}

#[test]
fn many_objects_are_deleted_at_once() {
    let (server, client) = server();
    for key in ["a", "b&c", "d\u{1}", "e"] {
        client.put(key, &[], b"x");
    }
    let delete = |body: &str, md5: Option<&str>| {
        let headers: Vec<_> = md5.map(|md5| ("Content-MD5", md5)).into_iter().collect();
        let query = [("delete", ""), ("encoding-type", "url")];
        client.send("POST", &object(""), &query, &headers, body.as_bytes())
    };
    let body = "<Delete><Quiet>false</Quiet><Object><Key>b&amp;c</Key></Object>\
                <Object><Key>d&#x01;</Key></Object><Object><Key>none</Key></Object></Delete>";
    assert_eq!(delete(body, None).outcome(), "400 MissingArgument");
    assert_eq!(delete(body, Some("AAAA")).outcome(), "400 InvalidDigest");
    let deleted = delete(body, Some(&md5(body)));
    assert_eq!(deleted.elements("Key"), ["b%26c", "d%01", "none"]);
    let quiet = "<Delete><Quiet>true</Quiet><Object><Key>e</Key></Object></Delete>";
    assert!(delete(quiet, Some(&md5(quiet))).elements("Key").is_empty());
    let left: Vec<String> =
        server.with(|emulator| emulator.objects(BUCKET).map(|(key, _)| key.to_owned()).collect());
    assert_eq!(left, ["a"]);
    let many = "<Object><Key>k</Key></Object>".repeat(1001);
    for bad in ["", "<Delete/>", "<Delete><Object/></Delete>", &format!("<Delete>{many}</Delete>")] {
        assert_eq!(delete(bad, Some(&md5(bad))).outcome(), "400 MalformedXML", "{}", bad.len());
    }
    assert_eq!(client.call("DELETE", "a", &[], &[]).status, 204);
    assert_eq!(client.call("DELETE", "a", &[], &[]).status, 204);
}

#[test]
fn multipart_uploads_are_assembled() {
    let (server, client) = server();
    let id = initiate(&client, "big 中");
    let part = |number: &str, body: &[u8]| upload_part(&client, "big 中", &id, number, body);
    let (first, second) = (vec![1; 102_400], vec![0; 102_400]);
    let etags: Vec<String> = [("1", &first[..]), ("3", b"replaced"), ("3", &second), ("7", b"end")]
        .into_iter()
        .map(|(number, body)| part(number, body).header("etag").unwrap().to_owned())
        .collect();
    for number in ["0", "10001", "x", ""] {
        assert_eq!(part(number, b"x").outcome(), "400 InvalidArgument", "{number}");
    }
    let list = client.call("GET", "big 中", &[("uploadId", &id), ("max-parts", "2")], &[]);
    assert_eq!(
        (list.elements("PartNumber"), list.elements("Size")),
        (strings(&["1", "3"]), strings(&["102400"; 2]))
    );
    assert_eq!(
        (list.element("NextPartNumberMarker"), list.element("IsTruncated")),
        ("3".into(), "true".into())
    );
    let rest = client.call("GET", "big 中", &[("uploadId", &id), ("part-number-marker", "3")], &[]);
    assert_eq!((rest.elements("PartNumber"), rest.element("IsTruncated")), (strings(&["7"]), "false".into()));

    let complete = |parts: &[(&str, &str)]| {
        client.post("big 中", &[("uploadId", &id), ("encoding-type", "url")], manifest(parts).as_bytes())
    };
    for (parts, expected) in [
        (&[][..], "400 MalformedXML"),
        (&[("3", &*etags[2]), ("1", &*etags[0])], "400 InvalidPartOrder"),
        (&[("1", &*etags[0]), ("1", &*etags[0])], "400 InvalidPartOrder"),
        (&[("1", &*etags[1])], "400 InvalidPart"),
        (&[("2", &*etags[0])], "400 InvalidPart"),
        (&[("3", &*etags[1])], "400 InvalidPart"),
    ] {
        assert_eq!(complete(parts).outcome(), expected, "{parts:?}");
    }
    assert_eq!(client.call("GET", "big 中", &[], &[]).outcome(), "404 NoSuchKey");
    let done = complete(&[("1", &etags[0]), ("3", &etags[2]), ("7", &etags[3])]);
    assert_eq!((done.status, done.element("Key")), (200, "big%20%E4%B8%AD".into()));
    assert!(done.element("ETag").replace("&quot;", "\"").ends_with("-3\""));
    let whole = client.call("GET", "big 中", &[], &[]);
    assert_eq!(whole.body, [&first[..], &second, b"end"].concat());
    assert_eq!(whole.header("x-oss-object-type"), Some("Multipart"));
    assert_eq!(whole.header("x-oss-meta-a"), Some("1"));
    assert_eq!(whole.header("content-md5"), None);
    assert_eq!(whole.header("x-oss-hash-crc64ecma"), done.header("x-oss-hash-crc64ecma"));
    let single = client.put("single", &[], &whole.body);
    assert_eq!(whole.header("x-oss-hash-crc64ecma"), single.header("x-oss-hash-crc64ecma"));
    assert_eq!(complete(&[("1", &etags[0])]).outcome(), "404 NoSuchUpload");
    assert_eq!(server.with(|emulator| emulator.uploads(BUCKET).count()), 0);
}

#[test]
fn multipart_uploads_have_their_rules() {
    let (_server, client) = server();
    let id = initiate(&client, "k");
    for number in ["1", "2"] {
        upload_part(&client, "k", &id, number, b"small");
    }
    let complete =
        |headers: &[_], body: &[u8]| client.send("POST", &object("k"), &[("uploadId", &id)], headers, body);
    let all = ("x-oss-complete-all", "yes");
    assert_eq!(complete(&[all], b"").outcome(), "400 EntityTooSmall");
    assert_eq!(complete(&[all], b"<x/>").outcome(), "400 InvalidArgument");
    upload_part(&client, "k", &id, "1", &vec![1; 102_400]);
    client.put("k", &[], b"old");
    assert_eq!(complete(&[all, ("x-oss-forbid-overwrite", "true")], b"").outcome(), "409 FileAlreadyExists");
    assert_eq!(complete(&[all], b"").status, 200);
    assert_eq!(client.call("HEAD", "k", &[], &[]).header("content-length"), Some("102405"));

    let (one, two) = (initiate(&client, "a/1"), initiate(&client, "b"));
    let list = client.call("GET", "", &[("uploads", ""), ("delimiter", "/")], &[]);
    assert_eq!(
        (list.elements("UploadId"), list.element("CommonPrefixes")),
        (vec![two.clone()], "<Prefix>a/</Prefix>".into())
    );
    let list = client.call("GET", "", &[("uploads", ""), ("max-uploads", "1")], &[]);
    let next = (list.element("NextKeyMarker"), list.element("NextUploadIdMarker"));
    assert_eq!(next, ("a/1".into(), one.clone()));
    let query = [("uploads", ""), ("key-marker", "a/1"), ("upload-id-marker", &*one)];
    assert_eq!(client.call("GET", "", &query, &[]).elements("UploadId"), strings(&[&two]));
    assert_eq!(client.send("DELETE", &object(""), &[], &[], b"").outcome(), "409 BucketNotEmpty");
    assert_eq!(client.call("DELETE", "b", &[("uploadId", &two)], &[]).status, 204);
    for (method, query) in [
        ("DELETE", &[("uploadId", &*two)][..]),
        ("GET", &[("uploadId", &*two)]),
        ("PUT", &[("uploadId", &*two), ("partNumber", "1")]),
    ] {
        let gone = client.call(method, "b", query, &[]);
        assert_eq!((gone.outcome(), gone.element("UploadId")), ("404 NoSuchUpload".into(), two.clone()));
    }
}

#[test]
fn parts_are_copied_from_ranges() {
    let (_server, client) = server();
    client.put("source", &[], b"0123456789");
    let id = initiate(&client, "k");
    let copy = |range: &str| {
        let headers = [("x-oss-copy-source", "/examplebucket/source"), ("x-oss-copy-source-range", range)];
        client.call("PUT", "k", &[("partNumber", "1"), ("uploadId", &id)], &headers)
    };
    for (range, size) in [("bytes=2-4", "3"), ("bytes=8-99", "2"), ("bytes=99-", "10"), ("nonsense", "10")] {
        let copied = copy(range);
        assert_eq!(copied.status, 200);
        assert_eq!(copied.element("ETag").replace("&quot;", "\""), copied.header("etag").unwrap());
        let list = client.call("GET", "k", &[("uploadId", &id)], &[]);
        assert_eq!(list.element("Size"), size, "{range}");
    }
}

#[test]
fn anyone_may_read_what_is_public() {
    let (_server, client) = server();
    client.put("private", &[], b"x");
    client.put("public", &[("x-oss-object-acl", "public-read")], b"open");
    let anonymous = |method: &str, target: &str| {
        client.exchange(client.head(method, target, &[("Content-Length", "0")]).as_bytes())
    };
    for (method, target, expected) in [
        ("GET", "/examplebucket/public", "200"),
        ("HEAD", "/examplebucket/public", "200"),
        ("PUT", "/examplebucket/public", "403 AccessDenied"),
        ("GET", "/examplebucket/public?response-expires=x", "400 InvalidRequest"),
        ("GET", "/examplebucket/private", "403 AccessDenied"),
        ("GET", "/examplebucket/none", "403 AccessDenied"),
        ("GET", "/examplebucket/", "403 AccessDenied"),
        ("GET", "/", "403 AccessDenied"),
        ("PUT", "/newbucket/", "403 AccessDenied"),
        ("GET", "/nosuchbucket/k", "404 NoSuchBucket"),
    ] {
        assert_eq!(anonymous(method, target).outcome(), expected, "{method} {target}");
    }
    client.call("PUT", "", &[("acl", "")], &[("x-oss-acl", "public-read-write")]);
    for (method, target, expected) in [
        ("GET", "/examplebucket/?list-type=2", "200"),
        ("PUT", "/examplebucket/new", "200"),
        ("DELETE", "/examplebucket/new", "204"),
        ("POST", "/examplebucket/new?uploads", "200"),
        ("POST", "/examplebucket/log?append&position=0", "200"),
        ("PUT", "/examplebucket/new?tagging", "403 AccessDenied"),
        ("DELETE", "/examplebucket/new?versionId=null", "403 AccessDenied"),
        ("GET", "/examplebucket/?versions", "403 AccessDenied"),
        ("GET", "/examplebucket/?acl", "403 AccessDenied"),
        ("DELETE", "/examplebucket/", "403 AccessDenied"),
    ] {
        assert_eq!(anonymous(method, target).outcome(), expected, "{method} {target}");
    }
    assert_eq!(client.call("PUT", "private", &[("acl", "")], &[("x-oss-object-acl", "private")]).status, 200);
    assert_eq!(client.call("GET", "private", &[("acl", "")], &[]).element("Grant"), "private");
    assert_eq!(anonymous("GET", "/examplebucket/private").outcome(), "403 AccessDenied");
}

#[test]
fn what_is_not_modelled_is_never_a_plain_read_or_write() {
    let (server, client) = server();
    client.put("k", &[], b"kept");
    for (method, key, query) in [
        ("PUT", "k", &[("somethingNew", "")][..]),
        ("PUT", "k", &[("legalHold", "")]),
        ("GET", "k", &[("x-oss-process", "image/resize,w_100")]),
        ("POST", "k", &[("x-oss-process", "")]),
        ("POST", "k", &[("x-oss-async-process", "")]),
        ("POST", "k", &[("uploads", ""), ("sequential", "")]),
        ("GET", "", &[("metaQuery", "")]),
        ("PUT", "", &[("accessPoint", "")]),
        ("POST", "", &[("cname", ""), ("comp", "add")]),
        ("GET", "", &[("qosInfo", "")]),
        ("OPTIONS", "k", &[]),
    ] {
        assert_eq!(
            client.call(method, key, query, &[]).outcome(),
            "501 NotImplemented",
            "{method} {query:?}"
        );
    }
    for (method, key, query) in [
        ("POST", "k", &[][..]),
        ("PATCH", "k", &[]),
        ("PUT", "", &[("uploads", "")]),
        ("DELETE", "", &[("versioning", "")]),
        ("DELETE", "", &[("referer", "")]),
        ("PUT", "", &[("replication", "")]),
        ("PUT", "", &[("style", "")]),
    ] {
        assert_eq!(
            client.call(method, key, query, &[]).outcome(),
            "405 MethodNotAllowed",
            "{method} {query:?}"
        );
    }
    assert_eq!(client.send("GET", "/", &[("qos", "")], &[], b"").outcome(), "501 NotImplemented");
    let version = client.call("PUT", "k", &[("versionId", "abc")], &[]);
    assert_eq!(version.outcome(), "400 InvalidArgument");
    // Parameters that OSS does not know change nothing, as there.
    assert_eq!(client.call("GET", "k", &[("trace", "1"), ("versionId", "null")], &[]).text(), "kept");
    assert_eq!(server.with(|emulator| emulator.objects(BUCKET).count()), 1);
}

fn initiate(client: &Client, key: &str) -> String {
    let answer = client.call("POST", key, &[("uploads", "")], &[("x-oss-meta-a", "1")]);
    assert_eq!(answer.status, 200);
    answer.element("UploadId")
}

fn upload_part(client: &Client, key: &str, id: &str, number: &str, body: &[u8]) -> Answer {
    client.send("PUT", &object(key), &[("partNumber", number), ("uploadId", id)], &[], body)
}

fn manifest(parts: &[(&str, &str)]) -> String {
    let parts = parts.iter().map(|(number, etag)| {
        format!("<Part><PartNumber>{number}</PartNumber><ETag>{}</ETag></Part>", etag.replace('"', "&quot;"))
    });
    format!("<CompleteMultipartUpload>{}</CompleteMultipartUpload>", parts.collect::<String>())
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// `Content-MD5` of a body.
fn md5(body: &str) -> String {
    use base64ct::{Base64, Encoding as _};
    use md5::{Digest as _, Md5};
    Base64::encode_string(&Md5::digest(body))
}

//! The calls: what is asked of OSS, what a second arrival of it does, and what the bucket holds before and
//! after.

use serde_json::{Value, json};

use super::rules::Class;

/// A call, and what the server makes of it.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// For ids.
    pub(super) name: &'static str,
    /// For people: the operation, and what is special about it.
    pub(super) words: &'static str,
    pub(super) json: Value,
    pub(super) class: Class,
    /// What it is refused with after its effect, or because of what is there.
    pub(super) second: Option<(u16, &'static str)>,
    /// Such a refusal after a doubtful attempt is a success.
    pub(super) is_gone_success: bool,
    /// Somebody else's object is there already.
    pub(super) is_taken: bool,
    /// A look at the object tells whether it was made.
    pub(super) can_look: bool,
    /// What is found there is told by a second look, at the source of the copy.
    pub(super) looks_at_source: bool,
    /// In a bucket with versions it makes a new one.
    pub(super) makes_version: bool,
    /// Its body comes from a source that cannot be opened again.
    pub(super) is_read_once: bool,
    pub(super) before: Holds,
    pub(super) after: Holds,
    /// What a read must give.
    pub(super) body: Option<&'static str>,
    /// Rows of the matrix that are about an attempt in doubt of this call.
    pub(super) doubt_rows: &'static [&'static str],
}

/// What a bucket holds.
#[derive(Clone, Debug, Default)]
pub(super) struct Holds {
    pub(super) objects: &'static [(&'static str, &'static str)],
    pub(super) is_archived: bool,
    /// An upload is begun, and the part "hello" is in it.
    pub(super) uploads: u32,
}

fn call(name: &'static str, words: &'static str, class: Class, json: Value) -> Call {
    Call {
        name,
        words,
        json,
        class,
        second: None,
        is_gone_success: false,
        is_taken: false,
        can_look: false,
        looks_at_source: false,
        makes_version: false,
        is_read_once: false,
        before: Holds::default(),
        after: Holds::default(),
        body: None,
        doubt_rows: &[],
    }
}

impl Call {
    fn holding(mut self, objects: &'static [(&'static str, &'static str)]) -> Self {
        self.before.objects = objects;
        self.after.objects = objects;
        self
    }

    fn leaving(mut self, objects: &'static [(&'static str, &'static str)]) -> Self {
        self.after.objects = objects;
        self
    }

    fn with_uploads(mut self, before: u32, after: u32) -> Self {
        self.before.uploads = before;
        self.after.uploads = after;
        self
    }

    fn refused_with(mut self, status: u16, code: &'static str) -> Self {
        self.second = Some((status, code));
        self
    }

    fn doubt(mut self, rows: &'static [&'static str]) -> Self {
        self.doubt_rows = rows;
        self
    }
}

/// The reads.
pub(super) fn reads() -> Vec<Call> {
    let on = |operation: &str| json!({"operation": operation, "key": "a.txt"});
    vec![
        Call {
            body: Some(DIGITS),
            ..call("get", "GetObject", Class::Read, on("GetObject")).holding(DIGITS_ONLY)
        },
        call("head", "HeadObject", Class::Read, on("HeadObject")).holding(HELLO),
        call("meta", "GetObjectMeta", Class::Read, on("GetObjectMeta")).holding(HELLO),
        call("list", "ListObjectsV2", Class::Read, json!({"operation": "ListObjectsV2"})).holding(HELLO),
        call("info", "GetBucketInfo", Class::Read, json!({"operation": "GetBucketInfo"})),
    ]
}

/// The writes that may arrive twice.
pub(super) fn overwrites() -> Vec<Call> {
    let class = Class::Overwrite;
    let on = |operation: &str| json!({"operation": operation, "key": "a.txt"});
    let part = json!({"operation": "UploadPart", "key": "a.txt", "part_number": 1, "body": "hello"});
    let tag = json!({"operation": "PutObjectTagging", "key": "a.txt", "tags": {"colour": "red"}});
    let copy = json!({"operation": "CopyObject", "key": "a.txt", "source": "b.txt"});
    let many = json!({"operation": "DeleteMultipleObjects", "keys": ["a.txt", "b.txt"]});
    let restore = call("restore", "RestoreObject", class, on("RestoreObject")).holding(HELLO);
    let mut restore = restore.refused_with(409, "RestoreAlreadyInProgress").doubt(&["F64"]);
    (restore.is_gone_success, restore.before.is_archived) = (true, true);
    let mut abort = call("abort", "AbortMultipartUpload", class, on("AbortMultipartUpload"));
    abort.is_gone_success = true;
    let delete = call("delete", "DeleteObject", class, on("DeleteObject")).holding(HELLO).leaving(&[]);
    vec![
        put(),
        reopened(),
        Call { makes_version: true, ..delete.doubt(&["F62"]) },
        call("delete-many", "DeleteMultipleObjects", class, many).holding(BOTH).leaving(&[]).doubt(&["F62"]),
        call("part", "UploadPart", class, part).with_uploads(1, 1).doubt(&["F56"]),
        abort.with_uploads(1, 0).refused_with(404, "NoSuchUpload").doubt(&["F59"]),
        call("copy", "CopyObject", class, copy).holding(SOURCE).leaving(BOTH).doubt(&["F54"]),
        call("tag", "PutObjectTagging", class, tag).holding(HELLO),
        restore,
        complete(),
        completion_of_known(),
    ]
}

/// The end of an upload, which can be had once.
fn complete() -> Call {
    let json = json!({"operation": "CompleteMultipartUpload", "key": "a.txt", "parts": ["hello"]});
    let words = "CompleteMultipartUpload of what nobody knows the checksum of";
    let complete = call("complete", words, Class::Overwrite, json).with_uploads(1, 0).leaving(HELLO);
    complete.refused_with(404, "NoSuchUpload").doubt(&["F58"])
}

/// The same, where the client knows what the object must be.
fn completion_of_known() -> Call {
    let mut complete = complete();
    complete.json["expected"] = json!({"bytes": 5, "crc64": "11177612005948864433"});
    let words = "CompleteMultipartUpload of a known length and checksum";
    Call { name: "complete-known", words, can_look: true, ..complete }
}

/// The plain upload.
pub(super) fn put() -> Call {
    let json = json!({"operation": "PutObject", "key": "a.txt", "body": "hello"});
    let put = call("put", "PutObject", Class::Overwrite, json).leaving(HELLO).doubt(&["F54"]);
    Call { makes_version: true, ..put }
}

/// The upload of a stream that can be opened again.
pub(super) fn reopened() -> Call {
    let mut put = put();
    put.json["body_from"] = "a source that can be opened again".into();
    Call { name: "put-stream", words: "PutObject of a stream that can be opened again", ..put }
}

/// The upload of a stream that cannot be opened again.
pub(super) fn read_once() -> Call {
    let mut put = put();
    put.json["body_from"] = "a source that can be read once".into();
    Call { name: "put-once", words: "PutObject of a stream that can be read once", is_read_once: true, ..put }
}

/// The writes under a condition, whose outcome a look can tell.
pub(super) fn conditional() -> Vec<Call> {
    let taken = put_new().holding(OTHER).leaving(OTHER);
    let append = |position: u64| {
        let mut json = json!({"operation": "AppendObject", "key": "a.txt", "body": "hello"});
        json["position"] = position.into();
        let call = call("append", "AppendObject", Class::Conditional, json).doubt(&["F61"]);
        Call { can_look: true, ..call.refused_with(409, "PositionNotEqualToLength") }
    };
    let forbidding = |mut json: Value| {
        json["headers"] = json!({"x-oss-forbid-overwrite": "true"});
        json
    };
    let class = Class::Conditional;
    let copy = forbidding(json!({"operation": "CopyObject", "key": "a.txt", "source": "b.txt"}));
    let copy =
        call("copy-new", "CopyObject with forbid-overwrite", class, copy).holding(SOURCE).leaving(BOTH);
    let copy = copy.refused_with(409, "FileAlreadyExists").doubt(&["F60"]);
    let link = forbidding(json!({"operation": "PutSymlink", "key": "a.txt", "target": "b.txt"}));
    let link = call("link-new", "PutSymlink with forbid-overwrite", class, link).leaving(LINK);
    let link = link.refused_with(409, "FileAlreadyExists").doubt(&["F60"]);
    let taken_append = append(0).holding(OTHER).leaving(OTHER).refused_with(409, "ObjectNotAppendable");
    vec![
        put_new(),
        Call {
            name: "put-taken",
            words: "PutObject with forbid-overwrite of a taken key",
            is_taken: true,
            ..taken
        },
        append(0).leaving(HELLO),
        Call { can_look: true, looks_at_source: true, ..copy },
        Call { can_look: true, ..link },
        Call {
            name: "append-taken",
            words: "AppendObject to an object that was not begun by an append",
            is_taken: true,
            ..taken_append
        },
    ]
}

/// The upload that must not replace anything.
pub(super) fn put_new() -> Call {
    let mut put = put();
    put.json["headers"] = json!({"x-oss-forbid-overwrite": "true"});
    let put = Call {
        name: "put-new",
        words: "PutObject with forbid-overwrite",
        class: Class::Conditional,
        can_look: true,
        ..put
    };
    put.refused_with(409, "FileAlreadyExists").doubt(&["F60"])
}

/// The start of a multipart upload.
pub(super) fn initiate() -> Call {
    let json = json!({"operation": "InitiateMultipartUpload", "key": "a.txt"});
    call("initiate", "InitiateMultipartUpload", Class::Orphaning, json).doubt(&["F57"])
}

/// The calls of which each arrival counts.
pub(super) fn once() -> Vec<Call> {
    let worm = json!({"operation": "InitiateBucketWorm", "days": 1});
    let worm = call("worm", "InitiateBucketWorm", Class::Once, worm);
    let worm = worm.refused_with(409, "WORMConfigurationAlreadyExists").doubt(&["F16"]);
    vec![worm, notified()]
}

/// The upload after which OSS calls an application.
pub(super) fn notified() -> Call {
    let mut put = put();
    put.json["callback"] = json!({"url": "http://app.example/answers", "body": "key=${object}"});
    Call {
        name: "put-callback",
        words: "PutObject with a callback",
        class: Class::Once,
        doubt_rows: &["F16"],
        ..put
    }
}

/// What a read gives: long enough to be broken in several places.
pub(super) const DIGITS: &str = "0123456789";
const DIGITS_ONLY: &[(&str, &str)] = &[("a.txt", DIGITS)];
const HELLO: &[(&str, &str)] = &[("a.txt", "hello")];
/// A link has no content of its own.
const LINK: &[(&str, &str)] = &[("a.txt", "")];
const OTHER: &[(&str, &str)] = &[("a.txt", "other")];
const SOURCE: &[(&str, &str)] = &[("b.txt", "hello")];
const BOTH: &[(&str, &str)] = &[("a.txt", "hello"), ("b.txt", "hello")];

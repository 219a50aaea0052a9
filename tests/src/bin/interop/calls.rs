//! The operations by name: arguments in, fields out.

use core::pin::Pin;
use core::time::Duration;

use oss_hyper::ops::*;
use oss_hyper::{Client, CopySource, Error, Operation, Raw, ReplyHead, Scope, SymlinkTarget, Tabled};
use serde_json::{Map, Value, json};

use crate::fields::{Arguments, Problem, digits, elements, entries};

type Answer<'a> = Pin<Box<dyn Future<Output = Result<Value, Problem>> + Send + 'a>>;

/// Makes the call that a request names, and says what came of it.
pub(crate) async fn call(client: &Client, request: &Value) -> Result<Value, Problem> {
    let mut arguments = Arguments::new(request);
    let name = request["op"].as_str().unwrap_or_default();
    let presign = request["presign"].as_u64();
    if name == "GetObject" && presign.is_none() {
        return open(client, &mut arguments).await;
    }
    if name == "Raw" {
        return raw(client, &mut arguments, request).await;
    }
    let answer = prepare(client, name, &mut arguments, presign)?;
    arguments.finish()?;
    answer.await
}

macro_rules! new {
    (Service $name:ident $arguments:ident ($($required:ident: $type:ident),*)) => {
        $name::new($(required!($arguments $required $type)),*)
    };
    (Bucket $name:ident $arguments:ident ($($required:ident: $type:ident),*)) => {
        $name::new($arguments.text("bucket")?, $(required!($arguments $required $type)),*)
    };
    (Object $name:ident $arguments:ident ($($required:ident: $type:ident),*)) => {
        $name::new(
            $arguments.text("bucket")?,
            $arguments.text("key")?,
            $(required!($arguments $required $type)),*
        )
    };
}

macro_rules! required {
    ($arguments:ident body Payload) => {
        $arguments.body()?
    };
    ($arguments:ident $field:ident $type:ident) => {
        $arguments.need::<$type>(stringify!($field))?
    };
}

macro_rules! set {
    ($operation:ident $arguments:ident metadata) => {
        $operation.metadata = $arguments.metadata();
    };
    ($operation:ident $arguments:ident callback) => {
        $operation.callback = $arguments.callback();
    };
    ($operation:ident $arguments:ident callback_var) => {
        $operation.callback_var = $arguments.callback_var();
    };
    ($operation:ident $arguments:ident $field:ident) => {
        $operation.$field = $arguments.take(stringify!($field))?;
    };
}

macro_rules! shown {
    ($output:ident metadata) => {
        entries(&$output.metadata)
    };
    ($output:ident callback) => {
        digits(&$output.callback)
    };
    ($output:ident body) => {
        digits(&$output.body)
    };
    // Its text on the wire is encoded, and what a caller sees is not.
    ($output:ident target) => {
        elements(&$output.target.as_ref().map(|target| target.as_str().to_owned()))?
    };
    ($output:ident $field:ident) => {
        elements(&$output.$field)?
    };
}

/// One row an operation: `Scope Name (required fields) [optional fields] -> [fields of the answer]`.
macro_rules! operations {
    ($(
        $scope:ident $name:ident ($($required:ident: $type:ident),*) [$($optional:ident)*]
            -> [$($field:ident)*];
    )*) => {
        fn prepare<'a>(
            client: &'a Client,
            name: &str,
            arguments: &mut Arguments,
            presign: Option<u64>,
        ) -> Result<Answer<'a>, Problem> {
            match name {
                $(stringify!($name) => {
                    #[allow(unused_mut, reason = "not every operation has optional fields")]
                    let mut operation = new!($scope $name arguments ($($required: $type),*));
                    $(set!(operation arguments $optional);)*
                    if let Some(seconds) = presign {
                        return Ok(Box::pin(signed_url(client, operation, seconds)));
                    }
                    Ok(Box::pin(async move {
                        match client.send(operation).await {
                            #[allow(unused_variables, reason = "not every answer has fields")]
                            Ok(reply) => {
                                let output = &reply.output;
                                let fields = vec![$((stringify!($field), shown!(output $field))),*];
                                answered::<$name>(&reply.head, fields)
                            }
                            Err(error) => Ok(failed(&error)),
                        }
                    }))
                })*
                _ => Err(format!("there is no operation {name}")),
            }
        }

        #[cfg(test)]
        const NAMES: &[&str] = &[$(stringify!($name)),*];
    };
}

operations! {
    Service ListBuckets () [prefix marker max_keys tag_key tag_value tagging resource_group_id]
        -> [prefix marker max_keys is_truncated next_marker owner buckets];
    Bucket PutBucket () [acl resource_group_id tagging configuration] -> [];
    Bucket DeleteBucket () [] -> [];
    Bucket GetBucketInfo () [] -> [bucket];
    Bucket ListObjectsV2 ()
        [prefix delimiter start_after continuation_token max_keys fetch_owner request_payer]
        -> [name prefix start_after max_keys delimiter is_truncated continuation_token
            next_continuation_token encoding_type key_count contents common_prefixes];
    Object PutObject (body: Payload)
        [content_type cache_control content_disposition content_encoding content_language content_md5 expires
         acl storage_class metadata tagging forbid_overwrite server_side_encryption
         server_side_data_encryption server_side_encryption_key_id traffic_limit request_payer callback
         callback_var]
        -> [etag content_md5 crc64 version_id callback];
    Object GetObject ()
        [range range_behavior if_match if_none_match if_modified_since if_unmodified_since accept_encoding
         version_id process response_cache_control response_content_disposition response_content_encoding
         response_content_language response_content_type response_expires traffic_limit request_payer]
        -> [];
    Object HeadObject ()
        [if_match if_none_match if_modified_since if_unmodified_since version_id request_payer]
        -> [content_length content_type etag last_modified content_md5 metadata cache_control
            content_disposition content_encoding content_language expires crc64 storage_class object_type
            version_id tagging_count server_side_encryption server_side_data_encryption
            server_side_encryption_key_id next_append_position expiration restore process_status
            request_charged allow_origin allow_methods allow_age allow_headers expose_headers
            transition_time sealed_time object_worm_mode object_worm_retain_until_date
            object_worm_legal_hold];
    Object DeleteObject () [version_id bypass_governance_retention request_payer]
        -> [version_id delete_marker];
    Bucket DeleteMultipleObjects (delete: Delete) [bypass_governance_retention request_payer]
        -> [deleted failed encoding_type];
    Object CopyObject (source: CopySource)
        [if_match if_none_match if_modified_since if_unmodified_since metadata_directive tagging_directive
         content_type cache_control content_disposition content_encoding content_language content_md5 expires
         acl storage_class metadata tagging forbid_overwrite server_side_encryption
         server_side_data_encryption server_side_encryption_key_id traffic_limit request_payer]
        -> [etag last_modified version_id crc64 copy_source_version_id server_side_encryption
            server_side_data_encryption server_side_encryption_key_id];
    Object InitiateMultipartUpload ()
        [content_type cache_control content_disposition content_encoding content_language content_md5 expires
         storage_class metadata tagging forbid_overwrite server_side_encryption server_side_data_encryption
         server_side_encryption_key_id request_payer]
        -> [bucket key upload_id encoding_type];
    Object UploadPart (upload_id: String, part_number: u32, body: Payload)
        [content_md5 traffic_limit request_payer]
        -> [etag content_md5 crc64];
    Object CompleteMultipartUpload (upload_id: String)
        [parts complete_all acl forbid_overwrite request_payer callback callback_var]
        -> [bucket key location etag encoding_type crc64 version_id body];
    Object AbortMultipartUpload (upload_id: String) [request_payer] -> [];
    Object ListParts (upload_id: String) [max_parts part_number_marker request_payer]
        -> [bucket key upload_id part_number_marker next_part_number_marker max_parts is_truncated
            encoding_type storage_class client_encryption_key client_encryption_start
            client_encryption_cek_alg client_encryption_wrap_alg client_encryption_data_size
            client_encryption_part_size parts];
    Service DescribeRegions () [] -> [regions];
    Service ListCloudBoxes () [prefix marker max_keys]
        -> [prefix marker max_keys is_truncated next_marker owner cloud_boxes];
    Bucket PutBucketAcl (acl: BucketAcl) [] -> [];
    Bucket GetBucketAcl () [] -> [owner acl];
    Bucket GetBucketLocation () [] -> [location];
    Bucket GetBucketStat () []
        -> [storage object_count multipart_upload_count multipart_part_count live_channel_count
            last_modified_time standard_storage standard_object_count infrequent_access_storage
            infrequent_access_real_storage infrequent_access_object_count archive_storage
            archive_real_storage archive_object_count cold_archive_storage cold_archive_real_storage
            cold_archive_object_count deep_cold_archive_storage deep_cold_archive_real_storage
            deep_cold_archive_object_count delete_marker_count];
    Bucket PutBucketVersioning (configuration: VersioningConfiguration) [] -> [];
    Bucket GetBucketVersioning () [] -> [status];
    Bucket PutBucketRequestPayment (configuration: RequestPaymentConfiguration) [] -> [];
    Bucket GetBucketRequestPayment () [] -> [payer];
    Bucket ListObjects () [prefix delimiter marker max_keys request_payer]
        -> [name prefix marker max_keys delimiter is_truncated next_marker encoding_type contents
            common_prefixes];
    Bucket ListObjectVersions () [prefix delimiter key_marker version_id_marker max_keys request_payer]
        -> [name prefix key_marker version_id_marker next_key_marker next_version_id_marker max_keys
            delimiter is_truncated encoding_type entries common_prefixes];
    Bucket ListMultipartUploads ()
        [prefix delimiter key_marker upload_id_marker max_uploads request_payer]
        -> [bucket prefix delimiter key_marker upload_id_marker next_key_marker next_upload_id_marker
            max_uploads is_truncated encoding_type uploads common_prefixes];
    Object PutObjectAcl (acl: ObjectAcl) [version_id request_payer] -> [version_id];
    Object GetObjectAcl () [version_id request_payer] -> [owner acl version_id];
    Object GetObjectMeta () [version_id request_payer]
        -> [content_length etag last_modified last_access_time version_id crc64 transition_time];
    Object AppendObject (position: u64, body: Payload)
        [initial_crc64 content_type cache_control content_disposition content_encoding content_language
         content_md5 expires acl storage_class metadata tagging forbid_overwrite server_side_encryption
         server_side_data_encryption server_side_encryption_key_id traffic_limit request_payer]
        -> [next_append_position crc64 version_id server_side_encryption server_side_data_encryption
            server_side_encryption_key_id];
    Object SealAppendObject (position: u64) [] -> [sealed_time];
    Object PutSymlink (target: SymlinkTarget)
        [acl storage_class metadata forbid_overwrite request_payer] -> [version_id];
    Object GetSymlink () [version_id request_payer] -> [target version_id etag metadata];
    Object PutObjectTagging (tagging: Tagging) [version_id request_payer] -> [version_id];
    Object GetObjectTagging () [version_id request_payer] -> [tag_set version_id];
    Object DeleteObjectTagging () [version_id request_payer] -> [version_id];
    Object RestoreObject () [restore version_id request_payer] -> [version_id priority];
    Object CleanRestoredObject () [version_id request_payer] -> [];
    Object ProcessObject (process: String) [request_payer] -> [bucket object file_size status body];
    Object AsyncProcessObject (process: String) [request_payer] -> [event_id request_id task_id body];
    Object UploadPartCopy (upload_id: String, part_number: u32, source: CopySource)
        [range if_match if_none_match if_modified_since if_unmodified_since traffic_limit request_payer]
        -> [etag last_modified crc64 copy_source_version_id];
}

/// Reads an object to its end: the head's fields, and the content in hexadecimal digits.
async fn open(client: &Client, arguments: &mut Arguments) -> Result<Value, Problem> {
    let mut operation = GetObject::new(arguments.text("bucket")?, arguments.text("key")?);
    macro_rules! all {
        ($($field:ident)*) => { $(set!(operation arguments $field);)* };
    }
    all!(range range_behavior if_match if_none_match if_modified_since if_unmodified_since accept_encoding
         version_id process response_cache_control response_content_disposition response_content_encoding
         response_content_language response_content_type response_expires traffic_limit request_payer);
    core::mem::replace(arguments, Arguments::new(&Value::Null)).finish()?;
    let object = match client.open(operation).await {
        Ok(object) => object,
        Err(error) => return Ok(failed(&error)),
    };
    let (head, output) = (object.reply().head.clone(), object.output().clone());
    let content = match object.bytes().await {
        Ok(content) => content,
        Err(error) => return Ok(failed(&error)),
    };
    macro_rules! all {
        ($($field:ident)*) => { vec![$((stringify!($field), shown!(output $field))),*] };
    }
    let fields = all!(content_length content_range content_type etag last_modified content_md5 metadata
        cache_control content_disposition content_encoding content_language expires crc64 storage_class
        object_type version_id tagging_count server_side_encryption server_side_data_encryption
        server_side_encryption_key_id next_append_position expiration restore process_status delete_marker
        sealed_time object_worm_mode object_worm_retain_until_date object_worm_legal_hold);
    let mut answer = answered::<GetObject>(&head, fields)?;
    answer["content"] = digits(&content);
    Ok(answer)
}

/// Any request to a bucket, its answer as it came: for what no operation is there yet.
async fn raw(client: &Client, arguments: &mut Arguments, request: &Value) -> Result<Value, Problem> {
    let method = http::Method::from_bytes(arguments.text("method")?.as_bytes()).map_err(|e| e.to_string())?;
    let mut raw = Raw::new("Raw", method, Scope::Bucket).bucket(arguments.text("bucket")?);
    let query = request["query"].as_object().into_iter().flatten();
    for (name, value) in query {
        raw = raw.query(name.clone(), value.as_str().unwrap_or_default());
    }
    match client.send(raw).await {
        Ok(reply) => Ok(json!({
            "status": reply.head.status,
            "headers": headers(&reply.head),
            "fields": {},
            "content": digits(&reply.output),
        })),
        Err(error) => Ok(failed(&error)),
    }
}

async fn signed_url<O: Operation>(client: &Client, operation: O, seconds: u64) -> Result<Value, Problem> {
    match client.presign(operation, Duration::from_secs(seconds)).await {
        Ok(signed) => Ok(json!({ "url": signed.expose_url() })),
        Err(error) => Ok(failed(&error)),
    }
}

/// An answer of success, its fields under their names on the wire.
fn answered<O: Tabled>(head: &ReplyHead, fields: Vec<(&str, Value)>) -> Result<Value, Problem> {
    let mut fields: Map<String, Value> =
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let mut shown = Map::new();
    for row in O::SPEC.answer {
        // A field that the table has and this list has not would never be compared.
        let value = fields.remove(row.field).ok_or_else(|| {
            format!("the interop peer does not show {} of {}: add it to its list", row.field, O::SPEC.name)
        })?;
        let name = if row.wire.is_empty() { row.field } else { row.wire };
        shown.insert(name.to_owned(), value);
    }
    Ok(json!({ "status": head.status, "headers": headers(head), "fields": shown }))
}

fn headers(head: &ReplyHead) -> Value {
    let header = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        (name.to_string(), Value::from(String::from_utf8_lossy(value.as_bytes())))
    };
    head.headers().iter().map(header).collect::<Map<_, _>>().into()
}

fn failed(error: &Error) -> Value {
    let Some(service) = error.service() else { return json!({ "failure": error.to_string() }) };
    json!({
        "text": error.to_string(),
        "error": {
            "status": service.status,
            "code": service.code.as_str(),
            "message": service.message,
            "request_id": service.request_id,
            "ec": service.ec,
            "host_id": service.host_id,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_can_be_called() {
        let missing: Vec<_> = ALL.iter().map(|spec| spec.name).filter(|name| !NAMES.contains(name)).collect();
        assert!(missing.is_empty(), "add a row for {missing:?}");
    }
}

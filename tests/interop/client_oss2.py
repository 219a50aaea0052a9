"""The official package `oss2`, with V4 and V1 signatures. Of an answer it reads less than the others do."""

import alibabacloud_oss_v2 as oss
import oss2

from compare import Outcome, iso_of_seconds, texts


class Oss2:
    # Its batch deletion is never quiet, and it sorts parts before it completes an upload.
    cannot = frozenset({"quiet", "turned parts", "callbacks"})

    def __init__(self, name, ours, signature="v4"):
        self.name = name
        self.ours = ours
        self.auths = {"anonymous": oss2.AnonymousAuth()}
        for identity, key in ours.identities.items():
            self.auths[identity] = auth(key, signature)
        if signature != "v4":
            self.cannot = self.cannot | {"presigned as ours"}
        self.session = oss2.Session()

    def close(self):
        self.session.session.close()

    def call(self, operation, identity="main", **arguments):
        method = getattr(self, f"_{operation}")
        bucket = arguments.pop("bucket", None)
        key = arguments.pop("key", None)
        try:
            if bucket is None:
                result, fields = method(self._service(identity), **arguments)
            else:
                positions = [self._bucket(bucket, identity)] + ([] if key is None else [key])
                result, fields = method(*positions, **arguments)
        except oss2.exceptions.OssError as error:
            return failed(error)
        content = fields.pop("content", None)
        return Outcome(
            fields=fields, content=content, status=result.resp.status, headers=dict(result.headers)
        )

    def presign(self, operation, seconds, bucket, key, **arguments):
        method = {"GetObject": "GET", "PutObject": "PUT", "HeadObject": "HEAD"}[operation]
        headers, params = places(operation, arguments)
        where = self._bucket(bucket, "main")
        return where.sign_url(method, key, seconds, headers=headers, params=params, slash_safe=True)

    def has(self, operation):
        return hasattr(self, f"_{operation}")

    def _bucket(self, name, identity):
        return oss2.Bucket(
            self.auths[identity], self.ours.endpoint, name, region=self.ours.region, session=self.session
        )

    def _service(self, identity):
        return oss2.Service(
            self.auths[identity], self.ours.endpoint, region=self.ours.region, session=self.session
        )

    def _ListBuckets(self, service, **options):
        result = service.list_buckets(**options)
        fields = {
            "istruncated": texts(result.is_truncated),
            "nextmarker": texts(result.next_marker),
            "owner": [owner(result.owner)],
            "buckets": [{"bucket": [bucket_in_list(bucket) for bucket in result.buckets]}],
        }
        return result, fields

    def _PutBucket(self, bucket, acl=None, configuration=None):
        if configuration is not None:
            words = configuration["StorageClass"], configuration.get("DataRedundancyType")
            configuration = oss2.models.BucketCreateConfig(*words)
        return bucket.create_bucket(acl, configuration), {}

    def _DeleteBucket(self, bucket):
        return bucket.delete_bucket(), {}

    def _GetBucketInfo(self, bucket):
        result = bucket.get_bucket_info()
        info = {
            "name": texts(result.name),
            "creationdate": texts(result.creation_date.replace(".000Z", "Z")),
            "storageclass": texts(result.storage_class),
            "extranetendpoint": texts(result.extranet_endpoint),
            "intranetendpoint": texts(result.intranet_endpoint),
            "location": texts(result.location),
            "owner": [owner(result.owner)],
            "accesscontrollist": [{"grant": texts(result.acl.grant)}],
            "comment": texts(result.comment),
            "versioning": texts(result.versioning_status),
            "dataredundancytype": texts(result.data_redundancy_type),
            "accessmonitor": texts(result.access_monitor),
            "transferacceleration": texts(result.transfer_acceleration),
            "crossregionreplication": texts(result.cross_region_replication),
            "resourcegroupid": texts(result.resource_group_id),
        }
        return result, {"bucket": [info]}

    def _ListObjectsV2(self, bucket, **options):
        result = bucket.list_objects_v2(**options)
        fields = {
            "istruncated": texts(result.is_truncated),
            "nextcontinuationtoken": texts(result.next_continuation_token),
            "contents": [object_in_list(one) for one in result.object_list],
            "commonprefixes": [{"prefix": texts(prefix)} for prefix in result.prefix_list],
        }
        return result, fields

    def _PutObject(self, bucket, key, body, **options):
        headers, _ = places("PutObject", options)
        result = bucket.put_object(key, body, headers=headers)
        return result, stored(result)

    def _GetObject(self, bucket, key, **options):
        headers, params = places("GetObject", options)
        result = bucket.get_object(key, headers=headers, params=params)
        fields = object_head(result)
        fields["content-range"] = texts(result.content_range)
        fields["content"] = result.read()
        return result, fields

    def _HeadObject(self, bucket, key, **options):
        headers, params = places("HeadObject", options)
        result = bucket.head_object(key, headers=headers, params=params)
        return result, object_head(result)

    def _DeleteObject(self, bucket, key, **options):
        _, params = places("DeleteObject", options)
        result = bucket.delete_object(key, params=params)
        marker = texts(result.delete_marker) if result.delete_marker is not None else []
        return result, {"x-oss-version-id": texts(result.versionid), "x-oss-delete-marker": marker}

    def _DeleteMultipleObjects(self, bucket, delete):
        keys, quiet = delete
        assert not quiet
        if all(isinstance(key, str) for key in keys):
            result = bucket.batch_delete_objects(keys)
        else:
            versions = oss2.models.BatchDeleteObjectVersionList()
            for key, version in keys:
                versions.append(oss2.models.BatchDeleteObjectVersion(key=key, versionid=version))
            result = bucket.delete_object_versions(versions)
        deleted = [
            {
                "key": texts(one.key),
                "versionid": texts(one.versionid),
                "deletemarker": texts(one.delete_marker or None),
                "deletemarkerversionid": texts(one.delete_marker_versionid),
            }
            for one in result.delete_versions
        ]
        return result, {"deleted": deleted}

    def _CopyObject(self, bucket, key, source, **options):
        headers, params = places("CopyObject", options)
        if len(source) > 2:
            params["versionId"] = source[2]
        result = bucket.copy_object(source[0], source[1], key, headers=headers, params=params)
        return result, stored(result)

    def _InitiateMultipartUpload(self, bucket, key, **options):
        headers, _ = places("InitiateMultipartUpload", options)
        result = bucket.init_multipart_upload(key, headers=headers)
        return result, {"uploadid": texts(result.upload_id)}

    def _UploadPart(self, bucket, key, upload_id, part_number, body):
        result = bucket.upload_part(key, upload_id, part_number, body)
        return result, stored(result)

    def _CompleteMultipartUpload(self, bucket, key, upload_id, parts=None, **options):
        headers, _ = places("CompleteMultipartUpload", options)
        # It has no CRC-64 of parts that another client uploaded; without them it asks for no comparison.
        bucket.enable_crc = False
        parts = parts and [oss2.models.PartInfo(number, etag.strip('"')) for number, etag in parts]
        result = bucket.complete_multipart_upload(key, upload_id, parts, headers=headers)
        return result, stored(result)

    def _AbortMultipartUpload(self, bucket, key, upload_id):
        return bucket.abort_multipart_upload(key, upload_id), {}

    def _ListParts(self, bucket, key, upload_id, part_number_marker="", max_parts=1000):
        result = bucket.list_parts(key, upload_id, marker=str(part_number_marker), max_parts=max_parts)
        fields = {
            "istruncated": texts(result.is_truncated),
            "nextpartnumbermarker": texts(result.next_marker),
            "part": [
                {
                    "partnumber": texts(part.part_number),
                    "etag": [quoted(part.etag)],
                    "size": texts(part.size),
                    "lastmodified": [iso_of_seconds(part.last_modified)],
                }
                for part in result.parts
            ],
        }
        return result, fields

    def _DescribeRegions(self, service):
        result = service.describe_regions()
        regions = [
            {
                "region": texts(one.region),
                "internetendpoint": texts(one.internet_endpoint),
                "internalendpoint": texts(one.internal_endpoint),
                "accelerateendpoint": texts(one.accelerate_endpoint),
            }
            for one in result.regions
        ]
        return result, {"regioninfo": regions}

    def _PutBucketAcl(self, bucket, acl):
        return bucket.put_bucket_acl(acl), {}

    def _GetBucketAcl(self, bucket):
        result = bucket.get_bucket_acl()
        return result, {"accesscontrollist": [{"grant": texts(result.acl)}]}

    def _GetBucketLocation(self, bucket):
        result = bucket.get_bucket_location()
        return result, {"locationconstraint": texts(result.location)}

    def _GetBucketStat(self, bucket):
        result = bucket.get_bucket_stat()
        names = {"storagesizeinbytes": "storage", "multipartuploadcount": "multipartuploadcount"}
        fields = {}
        for name, value in vars(result).items():
            name = name.replace("_", "")
            if name not in ("resp", "status", "headers", "requestid", "versionid", "deletemarker"):
                fields[names.get(name, name)] = texts(value)
        return result, fields

    def _PutBucketVersioning(self, bucket, configuration):
        return bucket.put_bucket_versioning(oss2.models.BucketVersioningConfig(configuration["Status"])), {}

    def _GetBucketVersioning(self, bucket):
        result = bucket.get_bucket_versioning()
        return result, {"status": texts(result.status)}

    def _PutBucketRequestPayment(self, bucket, configuration):
        return bucket.put_bucket_request_payment(configuration["Payer"]), {}

    def _GetBucketRequestPayment(self, bucket):
        result = bucket.get_bucket_request_payment()
        return result, {"payer": texts(result.payer)}

    def _ListObjects(self, bucket, **options):
        result = bucket.list_objects(**options)
        fields = {
            "istruncated": texts(result.is_truncated),
            "nextmarker": texts(result.next_marker),
            "contents": [object_in_list(one) for one in result.object_list],
            "commonprefixes": [{"prefix": texts(prefix)} for prefix in result.prefix_list],
        }
        return result, fields

    def _ListObjectVersions(self, bucket, version_id_marker="", **options):
        result = bucket.list_object_versions(versionid_marker=version_id_marker, **options)
        fields = {
            "istruncated": texts(result.is_truncated),
            "name": texts(result.name),
            "prefix": texts(result.prefix),
            "keymarker": texts(result.key_marker),
            "versionidmarker": texts(result.versionid_marker),
            "nextkeymarker": texts(result.next_key_marker),
            "nextversionidmarker": texts(result.next_versionid_marker),
            "maxkeys": texts(result.max_keys),
            "delimiter": texts(result.delimiter),
            "version": [version(one) | object_version(one) for one in result.versions],
            "deletemarker": [version(one) for one in result.delete_marker],
            "commonprefixes": [{"prefix": texts(prefix)} for prefix in result.common_prefix],
        }
        return result, fields

    def _ListMultipartUploads(self, bucket, **options):
        result = bucket.list_multipart_uploads(**options)
        uploads = [
            {
                "key": texts(one.key),
                "uploadid": texts(one.upload_id),
                "initiated": [iso_of_seconds(one.initiation_date)],
            }
            for one in result.upload_list
        ]
        fields = {
            "istruncated": texts(result.is_truncated),
            "nextkeymarker": texts(result.next_key_marker),
            "nextuploadidmarker": texts(result.next_upload_id_marker),
            "upload": uploads,
            "commonprefixes": [{"prefix": texts(prefix)} for prefix in result.prefix_list],
        }
        return result, fields

    def _PutObjectAcl(self, bucket, key, acl, **options):
        _, params = places("PutObjectAcl", options)
        result = bucket.put_object_acl(key, acl, params=params)
        return result, {"x-oss-version-id": texts(result.versionid)}

    def _GetObjectAcl(self, bucket, key, **options):
        _, params = places("GetObjectAcl", options)
        result = bucket.get_object_acl(key, params=params)
        return result, {
            "accesscontrollist": [{"grant": texts(result.acl)}],
            "x-oss-version-id": texts(result.versionid),
        }

    def _GetObjectMeta(self, bucket, key, **options):
        _, params = places("GetObjectMeta", options)
        result = bucket.get_object_meta(key, params=params)
        return result, {
            "last-modified": [iso_of_seconds(result.last_modified)],
            "content-length": texts(result.content_length),
            "etag": [quoted(result.etag)],
            "x-oss-version-id": texts(result.versionid),
        }

    def _AppendObject(self, bucket, key, position, body, **options):
        headers, _ = places("AppendObject", options)
        result = bucket.append_object(key, position, body, headers=headers)
        return result, {
            "x-oss-hash-crc64ecma": texts(result.crc),
            "x-oss-next-append-position": texts(result.next_position),
            "x-oss-version-id": texts(result.versionid),
        }

    def _PutSymlink(self, bucket, key, target, **options):
        headers, _ = places("PutSymlink", options)
        result = bucket.put_symlink(target, key, headers=headers)
        return result, {"x-oss-version-id": texts(result.versionid)}

    def _GetSymlink(self, bucket, key, **options):
        _, params = places("GetSymlink", options)
        result = bucket.get_symlink(key, params=params)
        return result, {
            "x-oss-symlink-target": texts(result.target_key),
            "x-oss-version-id": texts(result.versionid),
        }

    def _PutObjectTagging(self, bucket, key, tagging, **options):
        rule = oss2.models.TaggingRule()
        for name, value in tagging.items():
            rule.add(name, value)
        _, params = places("PutObjectTagging", options)
        result = bucket.put_object_tagging(key, oss2.models.Tagging(rule), params=params)
        return result, {"x-oss-version-id": texts(result.versionid)}

    def _GetObjectTagging(self, bucket, key, **options):
        _, params = places("GetObjectTagging", options)
        result = bucket.get_object_tagging(key, params=params)
        tags = [{"key": [name], "value": [value]} for name, value in result.tag_set.tagging_rule.items()]
        return result, {"tagset": [{"tag": tags}], "x-oss-version-id": texts(result.versionid)}

    def _DeleteObjectTagging(self, bucket, key, **options):
        _, params = places("DeleteObjectTagging", options)
        result = bucket.delete_object_tagging(key, params=params)
        return result, {"x-oss-version-id": texts(result.versionid)}

    def _RestoreObject(self, bucket, key, restore=None, **options):
        _, params = places("RestoreObject", options)
        if restore is not None:
            days, tier = restore
            restore = oss2.models.RestoreConfiguration(days, tier and oss2.models.RestoreJobParameters(tier))
        result = bucket.restore_object(key, params=params, input=restore)
        return result, {"x-oss-version-id": texts(result.versionid)}

    def _UploadPartCopy(self, bucket, key, upload_id, part_number, source, range=None, **options):
        headers, params = places("UploadPartCopy", options)
        if len(source) > 2:
            params["versionId"] = source[2]
        if range is not None:
            range = tuple(int(number) for number in range.removeprefix("bytes=").split("-"))
        result = bucket.upload_part_copy(
            source[0], source[1], range, key, upload_id, part_number, headers=headers, params=params
        )
        fields = {} if result.etag is None else {"etag": [quoted(result.etag)]}
        return result, fields


def version(one):
    return {
        "key": texts(one.key),
        "versionid": texts(one.versionid),
        "islatest": texts(one.is_latest),
        "lastmodified": [iso_of_seconds(one.last_modified)],
        "owner": [owner(one.owner)],
    }


def object_version(one):
    return {
        "type": texts(one.type),
        "storageclass": texts(one.storage_class),
        "size": texts(one.size),
        "etag": [quoted(one.etag)],
        "restoreinfo": texts(one.restore_info),
    }


def auth(key, signature):
    if "token" in key:
        return oss2.StsAuth(key["id"], key["secret"], key["token"], auth_version=signature)
    kind = oss2.AuthV4 if signature == "v4" else oss2.Auth
    return kind(key["id"], key["secret"])


def places(operation, arguments):
    """Headers and parameters of arguments, by the tables of `alibabacloud-oss-v2`: oss2 has none."""
    table = getattr(oss, f"{operation}Request")._attribute_map
    headers, params = {}, {}
    for name, value in arguments.items():
        if name == "range":
            name = "range_header" if operation == "GetObject" else "source_range"
        row = table[name]
        if isinstance(value, dict):
            headers |= {row["rename"] + key: one for key, one in value.items()}
            continue
        value = str(value).lower() if isinstance(value, bool) else str(value)
        (headers if row["position"] == "header" else params)[row["rename"]] = value
    return headers, params


def quoted(etag):
    """It strips the quotes of every entity tag."""
    return f'"{etag}"'


def stored(result):
    fields = {"x-oss-version-id": texts(result.versionid), "x-oss-hash-crc64ecma": texts(result.crc)}
    if result.etag is not None:
        fields["etag"] = [quoted(result.etag)]
    return fields


def object_head(result):
    return {
        "x-oss-object-type": texts(result.object_type),
        "last-modified": [iso_of_seconds(result.last_modified)] if result.last_modified else [],
        "content-type": texts(result.content_type),
        "content-length": texts(result.content_length),
        "etag": [quoted(result.etag)],
        "x-oss-hash-crc64ecma": texts(result.server_crc),
        "x-oss-version-id": texts(result.versionid),
    }


def owner(one):
    return {"id": texts(one.id), "displayname": texts(one.display_name)}


def bucket_in_list(bucket):
    return {
        "name": texts(bucket.name),
        "location": texts(bucket.location),
        "creationdate": [iso_of_seconds(bucket.creation_date)],
        "extranetendpoint": texts(bucket.extranet_endpoint),
        "intranetendpoint": texts(bucket.intranet_endpoint),
        "storageclass": texts(bucket.storage_class),
        "region": texts(bucket.region),
        "resourcegroupid": texts(bucket.resource_group_id),
    }


def object_in_list(one):
    return {
        "key": texts(one.key),
        "type": texts(one.type),
        "size": texts(one.size),
        "etag": [quoted(one.etag)],
        "lastmodified": [iso_of_seconds(one.last_modified)],
        "storageclass": texts(one.storage_class),
        "owner": [owner(one.owner)] if one.owner else [],
        "restoreinfo": texts(one.restore_info),
    }


def failed(error):
    if error.status < 0:
        return Outcome(failure=f"{type(error).__name__}: {error}")
    told = {
        "status": error.status,
        "code": error.code,
        "message": error.message,
        "request_id": error.request_id,
        "ec": error.ec,
    }
    return Outcome(status=error.status, error=told)

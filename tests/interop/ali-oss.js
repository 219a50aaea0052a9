// Makes calls with ali-oss: a line of JSON in, a line of JSON out. Fields have the form of compare.py: names
// of the wire in lower case, each with the list of its occurrences.
'use strict';

const path = require('path');
const readline = require('readline');
const { Readable } = require('stream');

const settings = JSON.parse(process.argv[2]);
// It advises on refreshing tokens where standard output is ours.
console.warn = () => {};
const OSS = require(path.join(settings.modules, 'ali-oss'));

const clients = {};

function client(identity, bucket) {
  const name = `${identity} ${bucket}`;
  if (!clients[name]) {
    const key = settings.identities[identity];
    const endpoint = new URL(settings.endpoint);
    // On an IP address it sends `Host: bucket.oss-region.aliyuncs.com`, and `undefined.` without a bucket;
    // calls without a bucket go to localhost instead.
    if (!bucket) endpoint.hostname = 'localhost';
    clients[name] = new OSS({
      accessKeyId: key.id,
      accessKeySecret: key.secret,
      stsToken: key.token,
      refreshSTSTokenInterval: 1e9,
      region: settings.region,
      endpoint: endpoint.origin,
      authorizationV4: settings.v4,
      bucket,
    });
  }
  return clients[name];
}

const text = (...values) => values.filter(value => value !== null && value !== undefined).map(String);
const list = value => (value === undefined || value === null ? [] : Array.isArray(value) ? value : [value]);
const owner = one => (one ? [{ id: text(one.id), displayname: text(one.displayName) }] : []);
const second = time => (time ? [time.replace('.000Z', 'Z')] : []);

// What xml2js made of a document.
function element(value) {
  if (value === null) return '';
  if (typeof value !== 'object') return String(value).replace('.000Z', 'Z');
  const fields = {};
  for (const [name, one] of Object.entries(value)) fields[name.toLowerCase()] = list(one).map(element);
  return fields;
}

// The headers that a caller reads from `res.headers`: of those the package makes nothing.
function headers(result, ...names) {
  const fields = {};
  for (const name of names) {
    const value = result.res.headers[name];
    fields[name] = value === undefined ? [] : [name === 'last-modified' ? iso(value) : value];
  }
  return fields;
}

const iso = date => new Date(date).toISOString().replace('.000Z', 'Z');

const OBJECT = ['content-length', 'content-type', 'etag', 'last-modified', 'content-md5', 'cache-control',
  'content-disposition', 'content-encoding', 'content-language', 'expires', 'x-oss-hash-crc64ecma',
  'x-oss-storage-class', 'x-oss-object-type', 'x-oss-version-id', 'x-oss-tagging-count',
  'x-oss-server-side-encryption', 'x-oss-next-append-position'];
const STORED = ['etag', 'content-md5', 'x-oss-hash-crc64ecma', 'x-oss-version-id'];

function metadata(meta) {
  const fields = {};
  for (const [name, value] of Object.entries(meta || {})) fields[name] = [value];
  return [fields];
}

const operations = {
  async ListBuckets(oss, request) {
    const result = await oss.listBuckets(request.params);
    const buckets = list(result.buckets).filter(one => one.name).map(one => ({
      name: text(one.name),
      location: text(one.region),
      creationdate: second(one.creationDate),
      storageclass: text(one.storageClass),
    }));
    return [result, {
      buckets: [{ bucket: buckets }],
      owner: owner(result.owner),
      istruncated: text(result.isTruncated),
      nextmarker: text(result.nextMarker),
    }];
  },
  async PutBucket(oss, request) {
    const acl = request.headers['x-oss-acl'];
    return [await oss.putBucket(request.bucket, { acl, ...request.configuration }), {}];
  },
  async DeleteBucket(oss, request) {
    return [await oss.deleteBucket(request.bucket), {}];
  },
  async GetBucketInfo(oss, request) {
    const result = await oss.getBucketInfo(request.bucket);
    return [result, { bucket: [element(result.bucket)] }];
  },
  async ListObjectsV2(oss, request) {
    const result = await oss.listV2(request.params);
    return [result, {
      contents: result.objects.map(one => ({
        key: text(one.name),
        lastmodified: second(one.lastModified),
        etag: text(one.etag),
        type: text(one.type),
        size: text(one.size),
        storageclass: text(one.storageClass),
        owner: owner(one.owner),
      })),
      commonprefixes: list(result.prefixes).map(prefix => ({ prefix: text(prefix) })),
      istruncated: text(result.isTruncated),
      keycount: text(result.keyCount),
      continuationtoken: text(result.continuationToken),
      nextcontinuationtoken: text(result.nextContinuationToken),
    }];
  },
  async PutObject(oss, request) {
    const result = await oss.put(request.key, Buffer.from(request.body, 'hex'), { headers: request.headers });
    return [result, headers(result, ...STORED)];
  },
  async GetObject(oss, request) {
    const result = await oss.get(request.key, { headers: request.headers, subres: request.params });
    const fields = headers(result, ...OBJECT, 'content-range');
    return [result, fields, result.content];
  },
  async HeadObject(oss, request) {
    const result = await oss.head(request.key, { headers: request.headers, subres: request.params });
    return [result, { ...headers(result, ...OBJECT), 'x-oss-meta-': metadata(result.meta) }];
  },
  async DeleteObject(oss, request) {
    const result = await oss.delete(request.key, { versionId: request.params.versionId });
    return [result, headers(result, 'x-oss-version-id', 'x-oss-delete-marker')];
  },
  async DeleteMultipleObjects(oss, request) {
    const [keys, quiet] = request.delete;
    const names = keys.map(one => (typeof one === 'string' ? one : { key: one[0], versionId: one[1] }));
    const result = await oss.deleteMulti(names, { quiet });
    return [result, { deleted: result.deleted.map(element) }];
  },
  async CopyObject(oss, request) {
    const [bucket, key, versionId] = request.source;
    const { options, meta } = forCopy(request.headers);
    const result = await oss.copy(request.key, key, bucket, { headers: options, meta, versionId });
    return [result, { etag: text(result.data.etag), lastmodified: second(result.data.lastModified) }];
  },
  async InitiateMultipartUpload(oss, request) {
    const result = await oss.initMultipartUpload(request.key, { headers: request.headers });
    return [result, { bucket: text(result.bucket), key: text(result.name), uploadid: text(result.uploadId) }];
  },
  async UploadPart(oss, request) {
    const body = Buffer.from(request.body, 'hex');
    const data = { stream: Readable.from([body]), size: body.length };
    const result = await oss._uploadPart(request.key, request.upload_id, request.part_number, data, {});
    return [result, headers(result, 'etag', 'content-md5', 'x-oss-hash-crc64ecma')];
  },
  async CompleteMultipartUpload(oss, request) {
    const parts = request.parts.map(([number, etag]) => ({ number, etag }));
    const options = { headers: request.headers };
    const result = await oss.completeMultipartUpload(request.key, request.upload_id, parts, options);
    const fields = headers(result, 'x-oss-hash-crc64ecma', 'x-oss-version-id');
    const { bucket, name, etag } = result;
    return [result, { ...fields, bucket: text(bucket), key: text(name), etag: text(etag) }];
  },
  async AbortMultipartUpload(oss, request) {
    return [await oss.abortMultipartUpload(request.key, request.upload_id), {}];
  },
  async PutBucketAcl(oss, request) {
    return [await oss.putBucketACL(request.bucket, request.headers['x-oss-acl']), {}];
  },
  async GetBucketAcl(oss, request) {
    const result = await oss.getBucketACL(request.bucket);
    return [result, { owner: owner(result.owner), accesscontrollist: [{ grant: text(result.acl) }] }];
  },
  async GetBucketLocation(oss, request) {
    const result = await oss.getBucketLocation(request.bucket);
    return [result, { locationconstraint: text(result.location) }];
  },
  async GetBucketStat(oss, request) {
    const result = await oss.getBucketStat(request.bucket);
    return [result, element(result.stat)];
  },
  async PutBucketVersioning(oss, request) {
    return [await oss.putBucketVersioning(request.bucket, request.configuration.Status), {}];
  },
  async GetBucketVersioning(oss, request) {
    const result = await oss.getBucketVersioning(request.bucket);
    return [result, { status: text(result.versionStatus) }];
  },
  async PutBucketRequestPayment(oss, request) {
    return [await oss.putBucketRequestPayment(request.bucket, request.configuration.Payer), {}];
  },
  async GetBucketRequestPayment(oss, request) {
    const result = await oss.getBucketRequestPayment(request.bucket);
    return [result, { payer: text(result.payer) }];
  },
  async ListObjects(oss, request) {
    const result = await oss.list(request.params);
    return [result, {
      contents: result.objects.map(one => ({
        key: text(one.name),
        lastmodified: second(one.lastModified),
        etag: text(one.etag),
        type: text(one.type),
        size: text(one.size),
        storageclass: text(one.storageClass),
        owner: owner(one.owner),
      })),
      commonprefixes: list(result.prefixes).map(prefix => ({ prefix: text(prefix) })),
      istruncated: text(result.isTruncated),
      nextmarker: text(result.nextMarker),
    }];
  },
  async ListObjectVersions(oss, request) {
    const result = await oss.getBucketVersions(request.params);
    const version = one => ({
      key: text(one.name),
      lastmodified: second(one.lastModified),
      versionid: text(one.versionId),
      owner: owner(one.owner),
    });
    return [result, {
      version: result.objects.map(one => ({
        ...version(one),
        islatest: text(one.isLatest),
        etag: text(one.etag),
        type: text(one.type),
        size: text(one.size),
        storageclass: text(one.storageClass),
      })),
      deletemarker: result.deleteMarker.map(version),
      commonprefixes: list(result.prefixes).map(prefix => ({ prefix: text(prefix) })),
      istruncated: text(result.isTruncated),
      nextkeymarker: text(result.nextKeyMarker),
      nextversionidmarker: text(result.nextVersionIdMarker),
    }];
  },
  async ListMultipartUploads(oss, request) {
    const result = await oss.listUploads(request.params);
    return [result, {
      upload: result.uploads.map(one => ({
        key: text(one.name),
        uploadid: text(one.uploadId),
        initiated: second(one.initiated),
      })),
      bucket: text(result.bucket),
      istruncated: text(result.isTruncated),
      nextkeymarker: text(result.nextKeyMarker),
      nextuploadidmarker: text(result.nextUploadIdMarker),
    }];
  },
  async PutObjectAcl(oss, request) {
    const { versionId } = request.params;
    const result = await oss.putACL(request.key, request.headers['x-oss-object-acl'], { versionId });
    return [result, headers(result, 'x-oss-version-id')];
  },
  async GetObjectAcl(oss, request) {
    const result = await oss.getACL(request.key, { versionId: request.params.versionId });
    const fields = headers(result, 'x-oss-version-id');
    const accesscontrollist = [{ grant: text(result.acl) }];
    return [result, { ...fields, owner: owner(result.owner), accesscontrollist }];
  },
  async GetObjectMeta(oss, request) {
    const result = await oss.getObjectMeta(request.key, { versionId: request.params.versionId });
    return [result, headers(result, 'content-length', 'etag', 'last-modified', 'x-oss-hash-crc64ecma',
      'x-oss-version-id', 'x-oss-transition-time', 'x-oss-last-access-time')];
  },
  async AppendObject(oss, request) {
    const options = { position: request.params.position, headers: request.headers };
    const result = await oss.append(request.key, Buffer.from(request.body, 'hex'), options);
    const fields = headers(result, 'x-oss-hash-crc64ecma', 'x-oss-version-id');
    return [result, { ...fields, 'x-oss-next-append-position': text(result.nextAppendPosition) }];
  },
  async PutSymlink(oss, request) {
    const result = await oss.putSymlink(request.key, request.target, { headers: request.headers });
    return [result, headers(result, 'x-oss-version-id')];
  },
  async GetSymlink(oss, request) {
    const result = await oss.getSymlink(request.key, { versionId: request.params.versionId });
    const fields = headers(result, 'etag', 'x-oss-version-id');
    return [result, { ...fields, 'x-oss-symlink-target': text(result.targetName) }];
  },
  async PutObjectTagging(oss, request) {
    const { versionId } = request.params;
    const result = await oss.putObjectTagging(request.key, request.tags, { versionId });
    return [result, headers(result, 'x-oss-version-id')];
  },
  async GetObjectTagging(oss, request) {
    const result = await oss.getObjectTagging(request.key, { versionId: request.params.versionId });
    const tags = Object.entries(result.tag).map(([key, value]) => ({ key: [key], value: [value] }));
    return [result, { ...headers(result, 'x-oss-version-id'), tagset: [{ tag: tags }] }];
  },
  async DeleteObjectTagging(oss, request) {
    const result = await oss.deleteObjectTagging(request.key, { versionId: request.params.versionId });
    return [result, headers(result, 'x-oss-version-id')];
  },
  async RestoreObject(oss, request) {
    const [Days, tier] = request.restore;
    const type = tier ? 'ColdArchive' : 'Archive';
    const options = { type, Days, JobParameters: tier || undefined, versionId: request.params.versionId };
    const result = await oss.restore(request.key, options);
    return [result, headers(result, 'x-oss-version-id', 'x-oss-object-restore-priority')];
  },
  async UploadPartCopy(oss, request) {
    const { key, upload_id: id, part_number: number } = request;
    const [sourceBucketName, sourceKey, versionId] = request.source;
    const range = (request.headers['x-oss-copy-source-range'] || '').replace('bytes=', '');
    delete request.headers['x-oss-copy-source-range'];
    const options = { headers: request.headers, versionId };
    const source = { sourceBucketName, sourceKey };
    const result = await oss.uploadPartCopy(key, id, number, range, source, options);
    return [result, headers(result, 'x-oss-hash-crc64ecma', 'x-oss-copy-source-version-id')];
  },
  async ListParts(oss, request) {
    const result = await oss.listParts(request.key, request.upload_id, request.params);
    return [result, {
      uploadid: text(result.uploadId),
      bucket: text(result.bucket),
      key: text(result.name),
      partnumbermarker: text(result.partNumberMarker),
      nextpartnumbermarker: text(result.nextPartNumberMarker),
      maxparts: text(result.maxParts),
      istruncated: text(result.isTruncated),
      part: list(result.parts).map(element),
    }];
  },
};

// Its `copy` takes conditions under their plain names and puts the prefix before them itself.
function forCopy(given) {
  const options = {};
  let meta;
  for (const [name, value] of Object.entries(given)) {
    if (name.startsWith('x-oss-meta-')) meta = { ...meta, [name.slice('x-oss-meta-'.length)]: value };
    else options[name.replace('x-oss-copy-source-', '')] = value;
  }
  return { options, meta };
}

function failed(error) {
  if (!error.status || error.status < 0) return { failure: `${error.name}: ${error.message}` };
  const told = { status: error.status, request_id: error.requestId };
  // An answer without a body has code and words of the package's own.
  if (error.hostId !== undefined) {
    told.code = error.code;
    told.message = error.message.replace(/ \(condition: [a-z-]+\)$/, '');
    told.ec = error.ecCode;
  }
  return { error: told };
}

async function answer(request) {
  if (request.presign) {
    const oss = client(request.as, request.bucket);
    const signed = { headers: request.headers, queries: request.params };
    return { url: await oss.signatureUrlV4(request.presign, request.seconds, signed, request.key) };
  }
  if (request.method) {
    const { res } = await client(request.as, request.bucket)[request.method](...request.arguments);
    return { status: res.status };
  }
  const oss = client(request.as, request.op === 'ListBuckets' ? undefined : request.bucket);
  const [result, fields, content] = await operations[request.op](oss, request);
  const { status, headers: all } = result.res;
  if (status === 304) return { error: { status, request_id: all['x-oss-request-id'] } };
  const line = { status, headers: all, fields };
  if (content !== undefined) line.content = Buffer.from(content).toString('hex');
  return line;
}

async function main() {
  if (process.argv[3] === '--list') {
    process.stdout.write(JSON.stringify(Object.keys(operations)));
    process.exit(0);
  }
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const said = await answer(JSON.parse(line)).catch(failed);
    process.stdout.write(`${JSON.stringify(said)}\n`);
  }
  process.exit(0);
}

main();

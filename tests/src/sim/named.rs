//! Operations that are called by their names: where they go, and their machines.

use core::time::Duration;

use oss_proto::{
    AppendObject, Call, Fetch, GetObject, InitiateMultipartUpload, PutBucket, PutObject, PutSymlink,
    RestoreObject, Service, Spec, StorageClass, Tabled, UploadPart,
};

use crate::every::{Site, Visitor, every};
use crate::peer::Peer;
use crate::sim::machine::{Machine, done, whole};
use crate::world::EPOCH;

/// A site with all that an operation can need, beside the keys of the schedules.
///
/// # Panics
/// When the emulator does not take what everybody may put.
pub(crate) fn site(peer: &mut Peer) -> Site {
    let mut site = Site { bucket: "furnished".into(), ..Site::default() };
    let before = EPOCH.saturating_sub(HOUR);
    for bucket in [&site.bucket, &site.empty] {
        peer.prepare(&PutBucket::new(bucket.as_str()), before).expect("a bucket can be made");
    }
    let bucket = site.bucket.as_str();
    let put = |key| PutObject::new(bucket, key, HELLO);
    peer.prepare(&put("key"), before).expect("an object can be put");
    for key in ["cold", "thawed"] {
        let archived = put(key).storage_class(StorageClass::Archive);
        peer.prepare(&archived, before).expect("an object can be put into the archive");
    }
    peer.prepare(&RestoreObject::new(bucket, "thawed"), before).expect("an archived object can be restored");
    peer.prepare(&PutSymlink::new(bucket, "link", "key"), before).expect("a link can be made");
    let append = AppendObject::new(bucket, "log", 0_u64, HELLO);
    peer.prepare(&append, before).expect("an append begins an object");
    let begin = InitiateMultipartUpload::new(bucket, "whole");
    let upload_id = peer.prepare(&begin, before).expect("an upload can be begun").upload_id;
    let part = UploadPart::new(bucket, "whole", upload_id.clone(), 1_u32, HELLO);
    let part = peer.prepare(&part, before).expect("a part can be uploaded");
    site.etag = part.etag.expect("a part has an entity tag").to_string();
    site.upload_id = upload_id;
    site
}

/// The machine of the operation with this table.
///
/// # Panics
/// When `every` does not have it.
pub(crate) fn named(spec: &'static Spec, site: &Site, service: &Service, call: Call) -> Box<dyn Machine> {
    let mut wanted = Wanted { spec, service, call: Some(call), made: None };
    every(site, &mut wanted);
    wanted.made.expect("every operation of the tables is in `every`")
}

struct Wanted<'a> {
    spec: &'static Spec,
    service: &'a Service,
    call: Option<Call>,
    made: Option<Box<dyn Machine>>,
}

impl Visitor for Wanted<'_> {
    fn visit<O: Tabled + 'static>(&mut self, operation: O) {
        if O::SPEC.name != self.spec.name {
            return;
        }
        let Some(call) = self.call.take() else { return };
        let streamed = (&operation as &dyn core::any::Any).downcast_ref::<GetObject>();
        self.made = Some(match streamed {
            Some(get) => Box::new(Fetch::new(get, self.service, call)),
            None => whole(&operation, self.service, call, done),
        });
    }
}

/// What the objects of the site hold.
pub(crate) const HELLO: &str = "hello";
const HOUR: Duration = Duration::from_secs(3600);

//! Calls of the clouds' APIs.

use serde_json::Value;

use super::root;

/// What Alibaba's own SDKs sent.
pub(crate) fn signed() -> Vec<Vec<u8>> {
    captured(|kind| kind != "huawei")
}

/// What Huawei's own SDKs sent.
pub(crate) fn signed_huawei() -> Vec<Vec<u8>> {
    captured(|kind| kind == "huawei")
}

fn captured(mine: impl Fn(&str) -> bool) -> Vec<Vec<u8>> {
    let text = std::fs::read(root().join("tests/data/sdk-signatures.json")).unwrap_or_default();
    let all: Value = serde_json::from_slice(&text).unwrap_or_default();
    let vectors = all["vectors"].as_array().into_iter().flatten();
    let mine =
        vectors.filter(|vector| vector["valid"] == true && mine(vector["kind"].as_str().unwrap_or_default()));
    mine.map(|vector| {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let headers = vector["headers"].as_array().into_iter().flatten();
        let headers = headers.map(|header| format!("\n{}: {}", text(&header[0]), text(&header[1])));
        let (method, target) = (text(&vector["method"]), text(&vector["target"]));
        let head = format!("{method} {target}{}", headers.collect::<String>());
        format!("{head}\n\n{}", text(&vector["body"])).into_bytes()
    })
    .collect()
}

/// Calls of every operation, in an order in which they are done.
pub(crate) fn operations() -> Vec<Vec<u8>> {
    let domain = "DomainName=live.local";
    let store = "OssEndpoint=oss-local&OssBucket=live-bucket";
    let file = "OssObjectPrefix=%7BSequence%7D_%7BStartTime%7D_%7BEndTime%7D";
    let stream = "DomainName=push.live.local&AppName=a&StreamName=s&LiveStreamType=publisher";
    let notify = "NotifyUrl=http%3A%2F%2Fx%2F&NotifyAuthKey=0123456789abcdef";
    let snapshots = format!(
        "AddLiveAppSnapshotConfig?{domain}&AppName=*&TimeInterval=5&{store}&OverwriteOssObject=%7BStreamName%7D.jpg\n\
         UpdateLiveAppSnapshotConfig?{domain}&AppName=*&OverwriteOssObject=-&SequenceOssObject=%7BSequence%7D.jpg\n\
         DescribeLiveSnapshotConfig?{domain}&PageNum=1&PageSize=5&Order=desc\n\
         AddLiveSnapshotNotifyConfig?{domain}&{notify}&NotifyReqAuth=yes\n\
         UpdateLiveSnapshotNotifyConfig?{domain}&NotifyReqAuth=no\n\
         DescribeLiveSnapshotNotifyConfig?{domain}\n\
         DeleteLiveSnapshotNotifyConfig?{domain}\nDeleteLiveAppSnapshotConfig?{domain}&AppName=*"
    );
    let records = format!(
        "AddLiveAppRecordConfig?{domain}&AppName=a&StreamName=s&{store}&OnDemand=7&DelayTime=15\
         &StartTime=2026-11-21T08:00:00Z&EndTime=2026-11-22T08:00:00Z&RecordFormat.1.Format=flv&RecordFormat.1.{file}\
         &TranscodeRecordFormat.1.Format=mp4&TranscodeRecordFormat.1.{file}&TranscodeTemplates.1=sd\n\
         UpdateLiveAppRecordConfig?{domain}&AppName=a&StreamName=s&OssEndpoint=oss-local&RecordFormat.1.Format=flv\
         &RecordFormat.1.CycleDuration=60\n\
         DescribeLiveRecordConfig?{domain}&AppName=a&StreamName=s\n\
         AddLiveRecordNotifyConfig?{domain}&{notify}&NotifyReqAuth=True&NeedStatusNotify=true\n\
         UpdateLiveRecordNotifyConfig?{domain}&OnDemandUrl=http%3A%2F%2Fy%2F\n\
         DescribeLiveRecordNotifyConfig?{domain}\n\
         DeleteLiveRecordNotifyConfig?{domain}\nDeleteLiveAppRecordConfig?{domain}&AppName=a&StreamName=s"
    );
    let packages = format!(
        "AddLivePackageConfig?{domain}&AppName=a&StreamName=*&Protocol=LLHLS_TS&IgnoreTranscode=False\n\
         UpdateLivePackageConfig?{domain}&AppName=a&StreamName=*&Protocol=HLS_CMAF&SegmentNum=4&SegmentDuration=6\n\
         DescribeLivePackageConfig?{domain}\nDeleteLivePackageConfig?{domain}&AppName=a&StreamName=*"
    );
    let streams = format!(
        "ForbidLiveStream?{stream}&ResumeTime=2026-12-01T00:00:00Z\nDescribeLiveStreamsBlockList?{domain}\n\
         ResumeLiveStream?{stream}\nForbidLiveStream?{stream}&Oneshot=yes\n\
         DescribeLiveStreamsOnlineList?{domain}&QueryType=strict&StreamName=s"
    );
    let domains = "AddLiveDomain?DomainName=b.local&LiveDomainType=liveVideo&Region=cn-shanghai\n\
         AddLiveDomain?DomainName=in.local&LiveDomainType=liveEdge&Region=cn-shanghai&Scope=global\n\
         AddLiveDomainMapping?PullDomain=b.local&PushDomain=in.local\n\
         DescribeLiveUserDomains?DomainSearchType=suf_match&DomainName=local&PageNumber=1\n\
         DescribeLiveDomainDetail?DomainName=in.local\n\
         AddLivePackageConfig?DomainName=b.local&AppName=a&StreamName=s&Protocol=DASH_CMAF";
    let recorded = "DomainName=live.local&AppName=a&StreamName=s";
    let span = "StartTime=2026-11-18T00:00:00Z&EndTime=2026-11-19T00:00:00Z";
    let archive = format!(
        "AddLiveAppRecordConfig?{domain}&AppName=a&StreamName=s&{store}&RecordFormat.1.Format=flv&RecordFormat.1.{file}\n\
         RealTimeRecordCommand?{recorded}&Command=restart\n\
         DescribeLiveStreamRecordContent?{recorded}&{span}\n\
         DescribeLiveStreamRecordIndexFiles?{recorded}&{span}&PageNum=1&PageSize=5&Order=desc\n\
         DescribeLiveStreamRecordIndexFile?{recorded}&RecordId=c4d7f0a4-b506-43f9-8de3-07732c3f3d82\n\
         CreateLiveStreamRecordIndexFiles?{recorded}&{store}&{span}&OssObject=%7BAppName%7D/%7BDate%7D.m3u8\n\
         DeleteLiveStreamRecordIndexFiles?{recorded}&RecordId.1=c4d7f0a4-b506-43f9-8de3-07732c3f3d82&RemoveFile=true\n\
         DescribeLiveRecordNotifyRecords?{domain}&{span}&PageNumber=1&PageSize=20&Status=failed"
    );
    let undone = |calls: &str| calls.rsplit_once('\n').map_or_else(String::new, |(kept, _)| kept.to_owned());
    let kept = [&snapshots, &records, &packages].map(|calls| undone(&undone(calls)));
    let all = kept.into_iter().chain([snapshots, records, packages, streams, archive, domains.to_owned()]);
    all.map(String::into_bytes).collect()
}

/// Requests for Huawei's snapshot templates, in an order in which they are done.
pub(crate) fn huawei_templates() -> Vec<Vec<u8>> {
    let at = r#""obs_location":{"bucket":"live-bucket","location":"l","object":"o/"}"#;
    let key = r#""domain":"push.example.com","app_name":"live""#;
    let full = format!(
        r#"{{{key},"auth_key":"0123456789abcdef0123456789abcdef","time_interval":3600,"object_write_mode":1,
        "snapshot_mode":"random",{at},"call_back_enable":"on","call_back_url":"http://x/y",
        "image_object_format":"{{{{.obs_object}}}}/{{{{.domain}}}}/{{{{.app}}}}/{{{{.stream}}}}.jpg",
        "image_access_protocol":"https","image_access_domain":"x"}}"#
    )
    .replace('\n', "");
    let plain = format!(r#"{{{key},"time_interval":5,{at}}}"#);
    let timed = format!(
        r#"{{{key},"time_interval":5,{at},"image_object_format":"{{{{.unix_time_milli}}}}_{{{{.fmt_time_utc}}}}.jpg"}}"#
    );
    let list = "GET domain=live.example.com&app_name=live&limit=1&offset=0 ";
    let delete = "DELETE domain=push.example.com&app_name=live ";
    let stories = [
        format!("POST  {plain}\n{list}\nPUT  {full}\n{list}"),
        format!("POST  {full}\nPUT  {timed}\n{delete}\n{list}"),
        format!("POST  {timed}\n{delete}\nPOST  {plain}"),
    ];
    stories.into_iter().map(String::into_bytes).collect()
}

/// Policies, with an action and a resource.
pub(crate) fn policies() -> Vec<Vec<u8>> {
    let asked = "live:AddLiveAppSnapshotConfig\nacs:cdn:*:1:domain/live.example.com\n";
    let allow = r#"{"Effect":"Allow","Action":["live:*Snapshot*","live:Add?ive*"],"Resource":"acs:cdn:*:1:domain/*"}"#;
    let deny = r#"{"Effect":"Deny","NotAction":"live:Describe*","Resource":["*"],"Condition":{
        "IpAddress":{"acs:SourceIp":["192.0.2.0/24","2001:db8::/32"]},"Bool":{"acs:SecureTransport":"false"},
        "DateLessThan":{"acs:CurrentTime":"2026-12-01T00:00:00+08:00"},
        "StringNotLike":{"acs:PrincipalARN":"acs:ram::2:*"}}}"#;
    let document = |statements: &str| format!(r#"{asked}{{"Version":"1","Statement":{statements}}}"#);
    let policies = [
        format!("{asked}full"),
        format!("{asked}read"),
        document(allow),
        document(&format!("[{allow},{deny}]")),
        document(&format!("[{deny}]")),
    ];
    policies.into_iter().map(String::into_bytes).collect()
}

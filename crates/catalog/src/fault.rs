use std::fmt;

/// What is wrong with a template, in words a cloud's client understands and in words its author does.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {detail} ({code})")]
pub struct Fault {
    /// Error code of the seeds, such as `InvalidSliceDuration.Malformed`.
    pub code: &'static str,
    /// The seed's message to this code, word for word.
    pub message: String,
    /// Which parameter.
    pub field: Field,
    /// What would be right: for people, not part of any wire format.
    pub detail: String,
    /// What sort of fault, for dialects whose codes are coarser.
    pub kind: Kind,
    /// HTTP status of the seeds for `code`.
    pub status: u16,
}

/// What sort of fault: all that a cloud with few codes tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A value that the parameter cannot have.
    Malformed,
    /// A parameter that must be given and is not.
    Missing,
    /// The key is taken.
    Exists,
    /// There is nothing under the key.
    NotFound,
    /// What the config file declares is not changed through an API.
    Denied,
    /// There are as many as there may be.
    Limit,
}

/// A parameter of a template or a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub param: Param,
    /// The list it is in, and which item, from 0.
    pub item: Option<(Param, usize)>,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((list, index)) = self.item {
            write!(f, "{list}.{}.", index.saturating_add(1))?;
        }
        fmt::Display::fmt(&self.param, f)
    }
}

macro_rules! params {
    ($($name:ident),* $(,)?) => {
        /// Every parameter that a [`Fault`] can name, called as in the API.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Param {
            $(#[doc = concat!("`", stringify!($name), "`")] $name,)*
        }

        impl Param {
            /// The API's name; the config file uses it in snake_case.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }

            fn missing(self) -> &'static str {
                match self { $(Self::$name => concat!("Missing", stringify!($name)),)* }
            }

            fn malformed(self) -> &'static str {
                match self { $(Self::$name => concat!("Invalid", stringify!($name), ".Malformed"),)* }
            }
        }
    };
}

params![
    // templates
    DomainName,
    AppName,
    StreamName,
    TimeInterval,
    OssEndpoint,
    OssBucket,
    OverwriteOssObject,
    SequenceOssObject,
    Callback,
    StartTime,
    EndTime,
    OnDemand,
    DelayTime,
    RetentionDays,
    RecordFormat,
    TranscodeRecordFormat,
    TranscodeTemplates,
    Format,
    SliceDuration,
    SliceOssObjectPrefix,
    CycleDuration,
    OssObjectPrefix,
    Protocol,
    SegmentNum,
    SegmentDuration,
    PartDuration,
    IgnoreTranscode,
    // packaging templates of the config file
    PutOssEndpoint,
    PutOssBucket,
    PutOssPrefix,
    // notifications
    NotifyUrl,
    NeedStatusNotify,
    OnDemandUrl,
    NotifyReqAuth,
    NotifyAuthKey,
    // domains and streams, through the API
    LiveDomainType,
    Region,
    Scope,
    PullDomain,
    PushDomain,
    ResumeTime,
    // recordings, through the API
    OssObject,
    EndTimeIncluded,
    RemoveFile,
    // Huawei's snapshot templates
    AuthKey,
    ObjectWriteMode,
    SnapshotMode,
    ObsLocation,
    Object,
    CallBackEnable,
    CallBackUrl,
    ImageObjectFormat,
    ImageAccessProtocol,
    ImageAccessDomain,
    // domains and storages, in the file
    Name,
    Ingest,
    Default,
    SecondPublisher,
    Endpoints,
    Buckets,
];

impl fmt::Display for Param {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl From<Param> for Field {
    fn from(param: Param) -> Self {
        Self { param, item: None }
    }
}

impl Fault {
    /// `code` with its `message`.
    pub(crate) fn new(code: &'static str, message: impl Into<String>, param: Param, detail: String) -> Self {
        let message = message.into();
        Self { code, message, field: param.into(), detail, kind: Kind::Malformed, status: 400 }
    }

    /// The same fault of another kind, with that kind's HTTP status in this family.
    #[must_use]
    pub(crate) fn of_kind(self, kind: Kind, status: u16) -> Self {
        Self { kind, status, ..self }
    }

    /// `param` has a value that it cannot have: its `….Malformed` with the message of the seeds. Dialects use it
    /// for values that are not even of the parameter's type.
    pub fn malformed(param: Param, detail: impl Into<String>) -> Self {
        let (code, message) = match param {
            Param::DelayTime => ("InvalidDelayTime", "Specified Delaytime is invalid.".to_owned()),
            Param::CycleDuration | Param::SliceDuration => {
                (param.malformed(), format!("Specified {param} Format is not valid."))
            }
            Param::StartTime | Param::EndTime => {
                (param.malformed(), format!("Specified {param} is malformed."))
            }
            _ => (param.malformed(), format!("Specified parameter {param} is not valid.")),
        };
        Self::new(code, message, param, detail.into())
    }

    /// `param` is absent: `Missing…`.
    pub fn missing(param: Param) -> Self {
        let message = format!("{param} is mandatory for this action.");
        Self::new(param.missing(), message, param, "is missing".to_owned()).of_kind(Kind::Missing, 400)
    }

    /// OssBucket names a bucket that its storage does not have.
    pub fn no_bucket(storage: &str, bucket: &str) -> Self {
        let message = "The parameter OssBucket does not exist.";
        let detail = format!("storage {storage:?} has no bucket {bucket:?}");
        Self::new("InvalidOssBucket.NotFound", message, Param::OssBucket, detail)
    }

    /// `param` names a domain that nobody declared.
    pub(crate) fn no_domain(name: &str) -> Self {
        let message = "The domain provided does not exist in our records.";
        let detail = format!("{name:?} is no declared domain");
        Self::new("InvalidDomain.NotFound", message, Param::DomainName, detail).of_kind(Kind::NotFound, 404)
    }

    /// The template's place is taken by another of its family.
    pub(crate) fn exists(param: Param) -> Self {
        let detail = "there is another template for the same streams".to_owned();
        Self::new("ConfigAlreadyExists", "Config has already exist.", param, detail)
            .of_kind(Kind::Exists, 400)
    }

    /// There is nothing to change (the cloud's spelling, reference §1.3).
    pub(crate) fn no_config(status: u16) -> Self {
        let message = "The speicified config does not exist.";
        let detail = "nothing is declared for exactly these names".to_owned();
        Self::new("InvalidConfig.NotFound", message, Param::DomainName, detail)
            .of_kind(Kind::NotFound, status)
    }

    /// What the file declares, an API does not change (design §6).
    pub(crate) fn denied(param: Param) -> Self {
        let message = "This is declared in the server's config file and can be changed only there.";
        Self::new("OperationDenied", message, param, "is declared in the config file".to_owned())
            .of_kind(Kind::Denied, 403)
    }

    /// The same fault of item `index` of `list`.
    #[must_use]
    pub(crate) fn within(mut self, list: Param, index: usize) -> Self {
        self.field.item = Some((list, index));
        self
    }
}

/// A number within `range`; `default` when absent.
pub(crate) fn number(
    param: Param,
    value: Option<i64>,
    default: u32,
    range: std::ops::RangeInclusive<u32>,
) -> Result<u32, Fault> {
    let Some(value) = value else { return Ok(default) };
    u32::try_from(value).ok().filter(|value| range.contains(value)).ok_or_else(|| {
        let (low, high) = (range.start(), range.end());
        Fault::malformed(param, format!("is {value}, not {low} to {high}"))
    })
}

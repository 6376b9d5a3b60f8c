//! The few fields of `TensorBoard`'s protocol buffers that scalars need: Event, Summary, `SessionLog`, `TensorProto`.

/// The bytes are no protocol buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

type Result<T> = std::result::Result<T, Malformed>;

/// The value of a field.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Field<'a> {
    Varint(u64),
    Fixed64([u8; 8]),
    Bytes(&'a [u8]),
    Fixed32([u8; 4]),
}

/// The longest number: ten times seven bits.
const MAX_VARINT_BYTES: usize = 10;

/// The fields of a message, one after the other.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    #[inline]
    fn varint(&mut self) -> Result<u64> {
        match self.0.split_first() {
            // most numbers are small
            Some((&byte, rest)) if byte < 0x80 => {
                self.0 = rest;
                Ok(u64::from(byte))
            }
            _ => self.long_varint(),
        }
    }

    fn long_varint(&mut self) -> Result<u64> {
        let mut value = 0;
        for (position, &byte) in self.0.iter().enumerate().take(MAX_VARINT_BYTES) {
            // what does not fit into 64 bits is dropped, as other readers do
            value |= u64::from(byte & 0x7F) << (7 * position);
            if byte < 0x80 {
                self.0 = &self.0[position + 1..];
                return Ok(value);
            }
        }
        Err(Malformed)
    }

    #[inline]
    fn take<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (bytes, rest) = self.0.split_first_chunk().ok_or(Malformed)?;
        self.0 = rest;
        Ok(*bytes)
    }

    /// The number and value of the next field; nothing at the end.
    #[inline]
    fn next(&mut self) -> Result<Option<(u64, Field<'a>)>> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let key = self.varint()?;
        if key >> 3 == 0 {
            return Err(Malformed);
        }
        let field = match key & 7 {
            0 => Field::Varint(self.varint()?),
            1 => Field::Fixed64(self.take()?),
            2 => {
                let length = usize::try_from(self.varint()?).map_err(|_| Malformed)?;
                let (bytes, rest) = self.0.split_at_checked(length).ok_or(Malformed)?;
                self.0 = rest;
                Field::Bytes(bytes)
            }
            5 => Field::Fixed32(self.take()?),
            // groups: no version of these messages ever had any
            _ => return Err(Malformed),
        };
        Ok(Some((key >> 3, field)))
    }
}

/// What scalars need of an event.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Event<'a> {
    pub wall_time: f64,
    pub step: i64,
    /// As in `brain.Event:2`
    pub file_version: Option<&'a [u8]>,
    /// A message with values of tags
    pub summary: Option<&'a [u8]>,
    /// Whether a writer says that it starts
    pub is_start: bool,
}

impl<'a> Event<'a> {
    /// Reads an event.
    ///
    /// # Errors
    /// The bytes are no message.
    #[inline]
    pub fn parse(bytes: &'a [u8]) -> Result<Self> {
        let mut event = Self { wall_time: 0.0, step: 0, file_version: None, summary: None, is_start: false };
        let mut fields = Fields(bytes);
        while let Some((number, field)) = fields.next()? {
            match (number, field) {
                (1, Field::Fixed64(bytes)) => event.wall_time = f64::from_le_bytes(bytes),
                (2, Field::Varint(step)) => event.step = step.cast_signed(),
                (3, Field::Bytes(version)) => event.file_version = Some(version),
                (5, Field::Bytes(summary)) => event.summary = Some(summary),
                (7, Field::Bytes(log)) => event.is_start = is_start(log)?,
                _ => {}
            }
        }
        Ok(event)
    }
}

/// Whether a `SessionLog` has the status START.
fn is_start(log: &[u8]) -> Result<bool> {
    let mut status = 0;
    let mut fields = Fields(log);
    while let Some((number, field)) = fields.next()? {
        if let (1, Field::Varint(value)) = (number, field) {
            status = value;
        }
    }
    Ok(status == 1)
}

/// What a summary says of a tag.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct SummaryValue<'a> {
    pub tag: &'a [u8],
    /// The plugin that the tag belongs to, where it is said
    pub plugin: Option<&'a [u8]>,
    pub content: Content<'a>,
}

/// The content of a summary's value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Content<'a> {
    /// A scalar of old
    Simple(f32),
    /// A tensor
    Tensor(&'a [u8]),
    /// Anything else, or nothing
    Other,
}

/// Calls `each` with the values of a summary.
///
/// # Errors
/// The bytes are no message, or `each` says so.
#[inline]
pub(super) fn summary_values<'a>(
    summary: &'a [u8],
    mut each: impl FnMut(SummaryValue<'a>) -> Result<()>,
) -> Result<()> {
    let mut fields = Fields(summary);
    while let Some((number, field)) = fields.next()? {
        if let (1, Field::Bytes(value)) = (number, field) {
            each(summary_value(value)?)?;
        }
    }
    Ok(())
}

#[inline]
fn summary_value(bytes: &[u8]) -> Result<SummaryValue<'_>> {
    let mut value = SummaryValue { tag: &[], plugin: None, content: Content::Other };
    let mut fields = Fields(bytes);
    while let Some((number, field)) = fields.next()? {
        match (number, field) {
            (1, Field::Bytes(tag)) => value.tag = tag,
            (2, Field::Fixed32(float)) => value.content = Content::Simple(f32::from_le_bytes(float)),
            (8, Field::Bytes(tensor)) => value.content = Content::Tensor(tensor),
            // histograms, images and audio take the place of what came before
            (3..=6, Field::Bytes(_)) => value.content = Content::Other,
            (9, Field::Bytes(metadata)) => value.plugin = plugin(metadata)?.or(value.plugin),
            _ => {}
        }
    }
    Ok(value)
}

/// The name of the plugin in a `SummaryMetadata`.
fn plugin(metadata: &[u8]) -> Result<Option<&[u8]>> {
    let mut name = None;
    let mut fields = Fields(metadata);
    while let Some((number, field)) = fields.next()? {
        let (1, Field::Bytes(data)) = (number, field) else { continue };
        let mut data = Fields(data);
        while let Some((number, field)) = data.next()? {
            if let (1, Field::Bytes(plugin)) = (number, field) {
                name = Some(plugin).filter(|plugin| !plugin.is_empty());
            }
        }
    }
    Ok(name)
}

/// What a tensor is as a scalar.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Scalar {
    /// A float or a double of rank 0
    Float(f64),
    /// A tensor of rank 0 of another type, or with nothing in it
    Foreign,
    /// A tensor of another rank
    Tensor,
}

const FLOAT: u64 = 1;
const DOUBLE: u64 = 2;

/// The scalar in a `TensorProto`.
///
/// # Errors
/// The bytes are no message.
pub(super) fn scalar(tensor: &[u8]) -> Result<Scalar> {
    let (mut dtype, mut is_scalar) = (0, true);
    let (mut content, mut float, mut double) = (None, None, None);
    let mut fields = Fields(tensor);
    while let Some((number, field)) = fields.next()? {
        match (number, field) {
            (1, Field::Varint(value)) => dtype = value,
            (2, Field::Bytes(shape)) => is_scalar &= is_rank_0(shape)?,
            (4, Field::Bytes(bytes)) => content = Some(bytes).filter(|bytes| !bytes.is_empty()),
            (5, Field::Fixed32(bytes)) => float = Some(bytes),
            (5, Field::Bytes(packed)) => float = packed.first_chunk().copied(),
            (6, Field::Fixed64(bytes)) => double = Some(bytes),
            (6, Field::Bytes(packed)) => double = packed.first_chunk().copied(),
            _ => {}
        }
    }
    let value = match dtype {
        FLOAT => content
            .map_or(float, |bytes| bytes.try_into().ok())
            .map(|bytes| f64::from(f32::from_le_bytes(bytes))),
        DOUBLE => content.map_or(double, |bytes| bytes.try_into().ok()).map(f64::from_le_bytes),
        _ => None,
    };
    Ok(match value {
        _ if !is_scalar => Scalar::Tensor,
        Some(value) => Scalar::Float(value),
        None => Scalar::Foreign,
    })
}

/// Whether a `TensorShapeProto` has no dimension.
fn is_rank_0(shape: &[u8]) -> Result<bool> {
    let mut fields = Fields(shape);
    let mut is_rank_0 = true;
    while let Some((number, field)) = fields.next()? {
        match (number, field) {
            (2, Field::Bytes(_)) => is_rank_0 = false,
            (3, Field::Varint(unknown)) => is_rank_0 &= unknown == 0,
            _ => {}
        }
    }
    Ok(is_rank_0)
}

//! Runs of decimal digits, eight at a time.

/// Digits that stand side by side.
#[derive(Debug, Clone, Copy)]
pub(super) struct Digits {
    /// How many there are
    pub count: usize,
    /// The number that they write, if it has at most [`EXACT`] of them
    value: u64,
}

/// So many digits fit into 64 bits, with a sign.
const EXACT: usize = 18;
/// Integers up to this are floats without rounding.
const EXACT_AS_FLOAT: u64 = 1 << 53;
/// The powers of ten that are floats without rounding.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];
const TENS: [u64; EXACT + 1] = {
    let mut tens = [1; EXACT + 1];
    let mut at = 1;
    while at <= EXACT {
        tens[at] = 10 * tens[at - 1];
        at += 1;
    }
    tens
};

impl Digits {
    /// The digits that `bytes` begin with.
    #[inline]
    pub fn first(bytes: &[u8]) -> Self {
        let (mut count, mut value) = (0, 0_u64);
        while let Some(eight) = bytes.get(count..).and_then(<[u8]>::first_chunk) {
            let word = u64::from_le_bytes(*eight);
            let more = (others(word).trailing_zeros() / 8) as usize;
            if more == 8 {
                value = value.wrapping_mul(TENS[8]).wrapping_add(eight_digits(word));
                count += 8;
                continue;
            }
            if more > 0 {
                value = value.wrapping_mul(TENS[more]).wrapping_add(eight_digits(word << (64 - 8 * more)));
            }
            return Self { count: count + more, value };
        }
        while let Some(digit @ b'0'..=b'9') = bytes.get(count) {
            value = value.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            count += 1;
        }
        Self { count, value }
    }

    /// These digits and others behind them.
    #[inline]
    pub fn then(self, others: Self) -> Self {
        let ten = TENS.get(others.count).copied().unwrap_or_default();
        Self {
            count: self.count.saturating_add(others.count),
            value: self.value.wrapping_mul(ten).wrapping_add(others.value),
        }
    }

    /// The integer that they write, if it has few enough digits.
    #[inline]
    pub fn exact(self) -> Option<i64> {
        if self.count <= EXACT { i64::try_from(self.value).ok() } else { None }
    }

    /// The float nearest to the integer times a power of ten, where that is soon known.
    #[inline]
    #[allow(clippy::cast_precision_loss, reason = "what would lose some is refused")]
    pub fn scaled(self, power: i64) -> Option<f64> {
        if self.count > EXACT {
            return None;
        }
        let size = usize::try_from(power.unsigned_abs()).ok()?;
        if self.value > EXACT_AS_FLOAT {
            return if power < 0 { TENS.get(size).map(|&ten| quotient(self.value, ten)) } else { None };
        }
        // both are floats themselves: one rounding is the right one
        let (value, ten) = (self.value as f64, POWERS.get(size)?);
        Some(if power < 0 { value / ten } else { value * ten })
    }
}

/// The float nearest to a fraction of integers below 2⁶⁰, the first of them above 2⁵³.
///
/// With 64 bits behind the point the quotient has at least 57 bits. A float has 53, so that the last of them only tells whether
/// anything is left: one rounding, that of the conversion, is the right one.
#[allow(clippy::cast_precision_loss, reason = "that is the rounding")]
fn quotient(value: u64, divisor: u64) -> f64 {
    const UNIT: f64 = 1.0 / (1_u128 << 64) as f64;
    let (value, divisor) = (u128::from(value) << 64, u128::from(divisor));
    let rest = u128::from(value % divisor != 0);
    ((value / divisor) | rest) as f64 * UNIT
}

/// The highest bit of each byte that is no digit.
#[inline]
fn others(word: u64) -> u64 {
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    let digits = word ^ 0x3030_3030_3030_3030;
    (((digits & !HIGHS) + 0x7676_7676_7676_7676) | digits) & HIGHS
}

/// The number that eight digits write, the first in the lowest byte; a zero byte counts as the digit 0.
#[inline]
fn eight_digits(word: u64) -> u64 {
    let pairs = (word & 0x0F0F_0F0F_0F0F_0F0F).wrapping_mul(10 << 8 | 1) >> 8;
    let fours = (pairs & 0x00FF_00FF_00FF_00FF).wrapping_mul(100 << 16 | 1) >> 16;
    (fours & 0x0000_FFFF_0000_FFFF).wrapping_mul(10_000 << 32 | 1) >> 32
}

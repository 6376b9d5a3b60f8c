//! One short text for each cause: the same for failures that differ in numbers, paths, addresses and identifiers only.

const BYTE_UNITS: [&str; 15] =
    ["B", "bytes", "byte", "kB", "KB", "KiB", "MB", "MiB", "GB", "GiB", "TB", "TiB", "PB", "PiB", "EiB"];

/// The fingerprint of texts: 16 hexadecimal digits, the same on every machine and in every version.
#[must_use]
pub fn fingerprint(parts: &[&str]) -> String {
    // FNV-1a: short, and it never changes
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut add = |byte: u8| {
        hash ^= u64::from(byte);
        hash = hash.wrapping_mul(0x0100_0000_01b3);
    };
    for part in parts {
        part.bytes().for_each(&mut add);
        add(0xff);
    }
    format!("{hash:016x}")
}

/// A message in which numbers, paths, addresses, hexadecimal digits and UUIDs are masked.
#[must_use]
pub fn masked(message: &str) -> String {
    let mut text = String::with_capacity(message.len());
    let mut rest = message;
    let mut before = ' ';
    while let Some(next) = rest.chars().next() {
        let length = masks(rest, before, &mut text);
        if length > 0 {
            before = '#';
            rest = &rest[length..];
            continue;
        }
        text.push(next);
        before = next;
        rest = &rest[next.len_utf8()..];
    }
    joined(&text)
}

/// Masks what stands first in `rest`; how many bytes that are.
fn masks(rest: &str, before: char, text: &mut String) -> usize {
    let inside = before.is_alphanumeric() || before == '_';
    for (mask, length) in [
        ("<path>", if inside || matches!(before, '#' | '<') { 0 } else { path_length(rest) }),
        ("#", if inside { 0 } else { hexadecimal_length(rest) }),
        ("#", quantity_length(rest, inside)),
    ] {
        if length > 0 {
            text.push_str(mask);
            return length;
        }
    }
    0
}

/// The length of a path that begins at the root, the home or the current directory, or of an address with a scheme.
fn path_length(rest: &str) -> usize {
    let is_end = |next: char| next.is_whitespace() || "'\"`,;()[]{}<>|".contains(next);
    let word = &rest[..rest.find(is_end).unwrap_or(rest.len())];
    let scheme = word.split_once("://").is_some_and(|(scheme, behind)| {
        !behind.is_empty() && !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric())
    });
    let starts =
        ["/", "~/", "./", "../"].iter().any(|start| word.len() > start.len() && word.starts_with(start));
    let drive = word.get(1..3) == Some(":\\") && word.as_bytes()[0].is_ascii_alphabetic();
    if !(scheme || starts || drive) {
        return 0;
    }
    word.trim_end_matches(['.', ':', '!', '?']).len()
}

/// The length of `0x…`, of a UUID, or of eight and more hexadecimal digits with both kinds among them.
fn hexadecimal_length(rest: &str) -> usize {
    let is_digit = |byte: &u8| byte.is_ascii_hexdigit();
    let prefixed = rest.strip_prefix("0x").or_else(|| rest.strip_prefix("0X"));
    let digits = prefixed.unwrap_or(rest).bytes().take_while(|byte| is_digit(byte) || *byte == b'-').count();
    let word = &prefixed.unwrap_or(rest)[..digits];
    let is_over =
        !prefixed.unwrap_or(rest)[digits..].starts_with(|next: char| next.is_alphanumeric() || next == '_');
    if prefixed.is_some() {
        let digits = word.bytes().take_while(is_digit).count();
        return if digits > 0 { digits + 2 } else { 0 };
    }
    let groups: Vec<usize> = word.split('-').map(str::len).collect();
    if is_over && groups == [8, 4, 4, 4, 12] {
        return digits;
    }
    let first = groups.first().copied().unwrap_or(0);
    let is_mixed = word[..first].bytes().any(|byte| byte.is_ascii_digit())
        && word[..first].bytes().any(|byte| byte.is_ascii_alphabetic());
    let ends = first < word.len() || is_over;
    if first >= 8 && is_mixed && ends { first } else { 0 }
}

/// The length of a number, with the unit of bytes behind it: `512.00 MiB` and `2 GiB` are sizes of one kind.
fn quantity_length(rest: &str, inside: bool) -> usize {
    let number = number_length(rest, inside);
    if number == 0 {
        return 0;
    }
    let behind = &rest[number..];
    let unit = behind.strip_prefix(' ').unwrap_or(behind);
    let length = unit.find(|next: char| !next.is_ascii_alphabetic()).unwrap_or(unit.len());
    let is_over = !unit[length..].starts_with(|next: char| next.is_alphanumeric() || next == '_');
    let is_unit = is_over && BYTE_UNITS.contains(&&unit[..length]);
    if is_unit { rest.len() - unit.len() + length } else { number }
}

/// The length of a number; with its sign, unless it stands inside a word.
fn number_length(rest: &str, inside: bool) -> usize {
    let bytes = rest.as_bytes();
    let sign = usize::from(!inside && matches!(bytes.first(), Some(b'-' | b'+')));
    let digits =
        |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'_').count();
    if !bytes.get(sign).is_some_and(u8::is_ascii_digit) {
        return 0;
    }
    let mut length = sign + digits(sign);
    if bytes.get(length) == Some(&b'.') && bytes.get(length + 1).is_some_and(u8::is_ascii_digit) {
        length += 1 + digits(length + 1);
    }
    if matches!(bytes.get(length), Some(b'e' | b'E')) {
        let signed = length + 1 + usize::from(matches!(bytes.get(length + 1), Some(b'-' | b'+')));
        if bytes.get(signed).is_some_and(u8::is_ascii_digit) {
            length = signed + digits(signed);
        }
    }
    length
}

/// Numbers that follow each other, as in shapes and lists, are one.
fn joined(text: &str) -> String {
    let mut text = text.to_owned();
    for separator in [", ", ",", ".", ":", "x"] {
        let pair = format!("#{separator}#");
        while text.contains(&pair) {
            text = text.replace(&pair, "#");
        }
    }
    text.replace("#,)", "#)")
}

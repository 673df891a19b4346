//! G.711 by its segments (ITU-T G.711, tables 1 and 2), independent of the program's own.

/// µ-law octet of a 16-bit sample.
pub fn ulaw_from(sample: i16) -> u8 {
    let sign = if sample < 0 { 0x80 } else { 0 };
    let magnitude = u32::from(sample.unsigned_abs().min(32_635)) + 132;
    let exponent = 24 - magnitude.leading_zeros();
    let mantissa = (magnitude >> (exponent + 3)) & 0x0f;
    !(sign | (exponent << 4 | mantissa) as u8)
}

/// 16-bit sample of a µ-law octet.
pub fn ulaw_to(octet: u8) -> i16 {
    let octet = !octet;
    let magnitude = (((i16::from(octet & 0x0f) << 3) + 132) << (octet >> 4 & 7)) - 132;
    if octet & 0x80 == 0 { magnitude } else { -magnitude }
}

/// A-law octet of a 16-bit sample.
pub fn alaw_from(sample: i16) -> u8 {
    let (sign, magnitude) = if sample < 0 { (0, !sample) } else { (0x80, sample) };
    let magnitude = magnitude as u32;
    let code = if magnitude < 256 {
        magnitude >> 4
    } else {
        let exponent = 24 - magnitude.leading_zeros();
        exponent << 4 | (magnitude >> (exponent + 3) & 0x0f)
    };
    (sign | code as u8) ^ 0x55
}

/// 16-bit sample of an A-law octet.
pub fn alaw_to(octet: u8) -> i16 {
    let octet = octet ^ 0x55;
    let mantissa = i16::from(octet & 0x0f) << 4;
    let magnitude = match octet >> 4 & 7 {
        0 => mantissa + 8,
        exponent => (mantissa + 0x108) << (exponent - 1),
    };
    if octet & 0x80 == 0 { -magnitude } else { magnitude }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_laws_come_back_within_their_steps() {
        for sample in (-32_000..=32_000i16).step_by(7) {
            let step = i32::from(sample.unsigned_abs() / 16).max(8) + 8;
            for back in [ulaw_to(ulaw_from(sample)), alaw_to(alaw_from(sample))] {
                assert!((i32::from(back) - i32::from(sample)).abs() <= step, "{sample} became {back}");
            }
        }
    }

    #[test]
    fn silence_and_full_scale_have_the_octets_of_the_tables() {
        assert_eq!((ulaw_from(0), ulaw_from(32_767), ulaw_from(-32_768)), (0xff, 0x80, 0x00));
        assert_eq!((alaw_from(0), alaw_from(32_767), alaw_from(-32_768)), (0xd5, 0xaa, 0x2a));
    }
}

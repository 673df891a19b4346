//! Quantisers and scale factors (ITU-T G.722 clauses 3.3 to 3.5, tables 5 to 17).

/// What tells the two bands' scale factors apart.
pub(super) struct Scale {
    /// Limit of the logarithmic scale factor NB.
    pub(super) ceiling: i32,
    /// Bits by which SCALEL and SCALEH differ.
    pub(super) shift: i32,
    /// DET at the beginning.
    pub(super) initial: i32,
}

pub(super) static LOW: Scale = Scale { ceiling: 18_432, shift: 8, initial: 32 };
pub(super) static HIGH: Scale = Scale { ceiling: 22_528, shift: 10, initial: 8 };

/// Decision levels of the 6-bit quantiser (table 5), magnitudes.
const LEVELS: [i32; 29] = [
    35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786, 858, 940, 1023, 1121, 1219,
    1339, 1458, 1612, 1765, 1980, 2195, 2557, 2919,
];
/// Decision level of the 2-bit quantiser.
const HIGH_LEVEL: i32 = 564;

/// Outputs of the inverse quantiser for 6 bits (the decoder's sound), by magnitude interval.
const STEPS6: [i32; 30] = [
    136, 432, 728, 1040, 1360, 1688, 2032, 2400, 2776, 3168, 3576, 4008, 4464, 4944, 5456, 6000, 6576, 7192,
    7856, 8576, 9360, 10232, 11192, 12280, 13512, 14984, 16704, 19008, 21904, 24808,
];
/// The same for the upper 4 bits (what both sides adapt by).
const STEPS4: [i32; 8] = [0, 1200, 2584, 4240, 6288, 8968, 12896, 20456];
/// Changes of the low band's logarithmic scale factor by the same index.
const LOG_STEPS: [i32; 8] = [-60, -30, 58, 172, 334, 538, 1198, 3042];

/// The signed value of each 6-bit code.
pub(super) static VALUE6: [i32; 64] = values6();
/// The signed value of each 4-bit code.
pub(super) static VALUE4: [i32; 16] = values4();
/// LOGSCL's step of each 4-bit code.
pub(super) static LOG4: [i32; 16] = log4();
/// The signed value of each 2-bit code.
pub(super) static VALUE2: [i32; 4] = [-7408, -1616, 7408, 1616];
/// LOGSCH's step of each 2-bit code.
pub(super) static LOG2: [i32; 4] = [798, -214, 798, -214];

/// 32 · 2^(n/32), scaled by 2^6: the mantissas of the scale factor (table ILB).
static MANTISSA: [i32; 32] = [
    2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834, 2896,
    2960, 3025, 3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008,
];

/// Codes 32 to 61 are positive from large to small; 4 to 31 negative likewise, with 62 and 63 the smallest.
/// 0 to 3 never leave an encoder (all zeros are excluded from the line) and count as the smallest negative.
const fn values6() -> [i32; 64] {
    let mut values = [-STEPS6[0]; 64];
    let mut code = 4;
    while code < 64 {
        values[code] = match code {
            4..32 => -STEPS6[33 - code],
            32..62 => STEPS6[61 - code],
            62 => -STEPS6[1],
            _ => -STEPS6[0],
        };
        code += 1;
    }
    values
}

const fn values4() -> [i32; 16] {
    let mut values = [0; 16];
    let mut code = 1;
    while code < 15 {
        values[code] = if code < 8 { -STEPS4[8 - code] } else { STEPS4[15 - code] };
        code += 1;
    }
    values
}

const fn log4() -> [i32; 16] {
    let mut steps = [LOG_STEPS[0]; 16];
    let mut code = 1;
    while code < 15 {
        steps[code] = LOG_STEPS[if code < 8 { 8 - code } else { 15 - code }];
        code += 1;
    }
    steps
}

/// QUANTL: the difference as a 6-bit code, under scale factor `det`.
#[inline]
pub(super) fn quantise6(difference: i32, det: i32) -> u8 {
    let magnitude = if difference < 0 { !difference } else { difference };
    let interval = LEVELS.partition_point(|level| magnitude >= (level * det) >> 12);
    let code = match (difference < 0, interval) {
        (false, n) => 61 - n,
        (true, n @ (0 | 1)) => 63 - n,
        (true, n) => 33 - n,
    };
    code as u8
}

/// QUANTH: the difference as a 2-bit code.
#[inline]
pub(super) fn quantise2(difference: i32, det: i32) -> u8 {
    let magnitude = if difference < 0 { !difference } else { difference };
    let large = magnitude >= (HIGH_LEVEL * det) >> 12;
    match (difference < 0, large) {
        (false, false) => 3,
        (false, true) => 2,
        (true, false) => 1,
        (true, true) => 0,
    }
}

impl Scale {
    /// LOGSCL, LOGSCH: leaks and steps the logarithmic scale factor.
    #[inline]
    pub(super) fn adapt(&self, nb: i32, step: i32) -> i32 {
        (((nb * 127) >> 7) + step).clamp(0, self.ceiling)
    }

    /// SCALEL, SCALEH: the linear scale factor DET.
    #[inline]
    pub(super) fn linear(&self, nb: i32) -> i32 {
        let mantissa = MANTISSA[((nb >> 6) & 31) as usize];
        let down = self.shift - (nb >> 11);
        (if down < 0 { mantissa << -down } else { mantissa >> down }) << 2
    }
}

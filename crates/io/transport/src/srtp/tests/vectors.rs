//! The test vectors of the standards.

use super::super::cipher::Cipher;
use super::super::derivation::{Purpose, apply, counter_mode, derive};
use super::super::outgoing::rtcp_associated;
use tandem_base::Ssrc;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let digit = |b: u8| char::from(b).to_digit(16).unwrap() as u8;
    digits.chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

/// Blocks 0, 1, 2, 0xfeff, 0xff00 and 0xff01 of the key stream.
fn key_stream(key: &str, blocks: [&str; 6]) {
    let key = counter_mode(&hex(key)).unwrap();
    let iv: [u8; 16] = hex("f0f1f2f3f4f5f6f7f8f9fafbfcfd0000").try_into().unwrap();
    let mut stream = vec![0; 0xff02 * 16];
    apply(&key, iv, &mut stream).unwrap();
    for (place, block) in [0, 1, 2, 0xfeff, 0xff00, 0xff01].into_iter().zip(blocks) {
        assert_eq!(stream[place * 16..][..16], hex(block), "block {place:x}");
    }
}

#[test]
fn rfc_3711_b_2_aes_128_counter_mode() {
    key_stream(
        "2B7E151628AED2A6ABF7158809CF4F3C",
        [
            "E03EAD0935C95E80E166B16DD92B4EB4",
            "D23513162B02D0F72A43A2FE4A5F97AB",
            "41E95B3BB0A2E8DD477901E4FCA894C0",
            "EC8CDF7398607CB0F2D21675EA9EA1E4",
            "362B7C3C6773516318A077D7FC5073AE",
            "6A2CC3787889374FBEB4C81B17BA6C44",
        ],
    );
}

#[test]
fn rfc_6188_7_1_and_7_3_longer_keys() {
    key_stream(
        "57f82fe3613fd170a85ec93c40b1f0922ec4cb0dc025b58272147cc438944a98",
        [
            "92bdd28a93c3f52511c677d08b5515a4",
            "9da71b2378a854f67050756ded165bac",
            "63c4868b7096d88421b563b8c94c9a31",
            "cea518c90fd91ced9cbb18c078a54711",
            "3dbc4814f4da5f00a08772b63c6a046d",
            "6eb246913062a16891433e97dd01a57f",
        ],
    );
    key_stream(
        "eab234764e517b2d3d160d587d8c86219740f65f99b6bcf7",
        [
            "35096cba4610028dc1b57503804ce37c",
            "5de986291dcce161d5165ec4568f5c9a",
            "474a40c77894bc17180202272a4c264d",
            "d108d1a31a00bad6367ec23eb044b415",
            "c8f57129fdeb970b59f917b257662d4c",
            "a5dab625811034e8cebdfeb6dc158dd3",
        ],
    );
}

fn derivation<const N: usize>(master: &str, salt: &str, cipher: &str, session_salt: &str, auth: &str) {
    let (prf, salt) = (counter_mode(&hex(master)).unwrap(), hex(salt));
    let key: [u8; N] = derive(&prf, &salt, Purpose::Encryption, false).unwrap();
    assert_eq!(key.to_vec(), hex(cipher));
    let derived: [u8; 14] = derive(&prf, &salt, Purpose::Salt, false).unwrap();
    assert_eq!(derived.to_vec(), hex(session_salt));
    let key: [u8; 20] = derive(&prf, &salt, Purpose::Authentication, false).unwrap();
    assert_eq!(key.to_vec(), hex(auth));
}

#[test]
fn rfc_3711_b_3_key_derivation() {
    derivation::<16>(
        "E1F97A0D3E018BE0D64FA32C06DE4139",
        "0EC675AD498AFEEBB6960B3AABE6",
        "C61E7A93744F39EE10734AFE3FF7A087",
        "30CBBC08863D8C85D49DB34A9AE1",
        "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4",
    );
}

#[test]
fn rfc_6188_7_2_and_7_4_key_derivation() {
    derivation::<32>(
        "f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6",
        "3b04803de51ee7c96423ab5b78d2",
        "5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4",
        "fa31791685ca444a9e07c6c64e93",
        "fd9c32d39ed5fbb5a9dc96b30818454d1313dc05",
    );
    derivation::<24>(
        "73edc66c4fa15776fb57f9505c17136550ffda71f3e8e5f1",
        "c8522f3acd4ce86d5add78edbb11",
        "31874736a8f1143870c26e4857d8a5b2c4a354407faadabb",
        "2372b82d639b6d8503a47adc0a6c",
        "355b10973cd95b9eacf4061c7e1a7151e7cfbfcb",
    );
}

const SALT: &str = "517569642070726f2071756f";
const GALLIA: &[u8] = b"Gallia est omnis divisa in partes tres";

/// RFC 7714 §16.1.1 and §16.2.1.
fn gallia(key: &str, sealed: &str) {
    let Cipher::Galois(galois) = Cipher::galois(&hex(key), hex(SALT).try_into().unwrap()).unwrap() else {
        panic!("not GCM")
    };
    let header = hex("8040f17b8041f8d35501a0b2");
    let (ssrc, index) = (Ssrc(0x5501_a0b2), 0xf17b);
    let mut text = GALLIA.to_vec();
    let tag = galois.seal(ssrc, index, &header, &mut text).unwrap();
    text.extend(tag);
    assert_eq!(text, hex(sealed));
    assert_eq!(galois.open(ssrc, index, &header, &mut text), Ok(38));
    assert_eq!(&text[..38], GALLIA);
}

#[test]
fn rfc_7714_16_galois_counter_mode_for_rtp() {
    gallia(
        "000102030405060708090a0b0c0d0e0f",
        "f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833
         899d7f27beb16a9152cf765ee4390cce",
    );
    gallia(
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        "32b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b
         7aa3db36dfffd6b0f9bb7878d7a76c13",
    );
}

#[test]
fn rfc_7714_17_galois_counter_mode_for_rtcp() {
    let key = hex("000102030405060708090a0b0c0d0e0f");
    let Cipher::Galois(galois) = Cipher::galois(&key, hex(SALT).try_into().unwrap()).unwrap() else {
        panic!("not GCM")
    };
    let plain =
        hex("4e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdeadbeefdeadbeefdeadbeef");
    let clear = hex("81c8000d4d617273");
    let associated = rtcp_associated(&clear, [0x80, 0, 0x05, 0xd4]);
    let mut text = plain.clone();
    let tag = galois.seal(Ssrc(0x4d61_7273), 0x05d4, &associated, &mut text).unwrap();
    text.extend(tag);
    assert_eq!(
        text,
        hex("63e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded0bb9275b
             c84aa45896cf4d2fc5abf87245d9eade")
    );
}

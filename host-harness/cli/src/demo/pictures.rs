//! Owns: the pictures and the sound that the demo's customer sends.
//! Does not own: sending them (`phone`).

/// A tall vase.
pub const VASE: &[u8] = include_bytes!("../../assets/vase.png");
/// A mug.
pub const MUG: &[u8] = include_bytes!("../../assets/mug.png");

/// Samples in a second.
const RATE: u32 = 8000;
/// The tones, in samples of one wave.
const TONES: [usize; 4] = [20, 16, 13, 10];
/// Samples of one tone: half a second.
const TONE: usize = 4000;

/// Two seconds of four soft tones, as a WAV file.
pub(super) fn melody() -> Vec<u8> {
    let samples =
        TONES.iter().flat_map(|wave| (0..TONE).map(move |at| if (at % wave) * 2 < *wave { 0x74 } else { 0x8c }));
    let samples: Vec<u8> = samples.collect();
    let size = u32::try_from(samples.len()).unwrap_or(0);
    let mut wav = b"RIFF".to_vec();
    wav.extend((36 + size).to_le_bytes());
    wav.extend(b"WAVEfmt ");
    wav.extend(16_u32.to_le_bytes());
    wav.extend([1, 0, 1, 0]);
    wav.extend(RATE.to_le_bytes());
    wav.extend(RATE.to_le_bytes());
    wav.extend([1, 0, 8, 0]);
    wav.extend(b"data");
    wav.extend(size.to_le_bytes());
    wav.extend(samples);
    wav
}

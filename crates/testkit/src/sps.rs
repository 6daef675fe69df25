/// A baseline-profile SPS NAL unit for a progressive picture (ITU-T H.264 §7.3.2.1.1). Width and height are in
/// luma samples and multiples of 16.
pub fn sps(width: u32, height: u32) -> Vec<u8> {
    let mut bits = Bits::default();
    bits.exp_golomb(0); // seq_parameter_set_id
    bits.exp_golomb(0); // log2_max_frame_num_minus4
    bits.exp_golomb(2); // pic_order_cnt_type
    bits.exp_golomb(1); // max_num_ref_frames
    bits.push(0, 1); // gaps_in_frame_num_value_allowed_flag
    bits.exp_golomb(width / 16 - 1);
    bits.exp_golomb(height / 16 - 1);
    bits.push(1, 1); // frame_mbs_only_flag
    bits.push(1, 1); // direct_8x8_inference_flag
    bits.push(0, 1); // frame_cropping_flag
    bits.push(0, 1); // vui_parameters_present_flag
    bits.push(1, 1); // rbsp_stop_one_bit
    let mut nal = vec![0x67, 66, 0xc0, 30];
    nal.extend(bits.bytes);
    nal
}

#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    used: u32,
}

impl Bits {
    fn push(&mut self, value: u32, width: u32) {
        for at in (0..width).rev() {
            if self.used.is_multiple_of(8) {
                self.bytes.push(0);
            }
            let bit = u8::from(value >> at & 1 == 1);
            if let Some(last) = self.bytes.last_mut() {
                *last |= bit << (7 - self.used % 8);
            }
            self.used += 1;
        }
    }

    fn exp_golomb(&mut self, value: u32) {
        let width = (value + 1).ilog2();
        self.push(0, width);
        self.push(value + 1, width + 1);
    }
}

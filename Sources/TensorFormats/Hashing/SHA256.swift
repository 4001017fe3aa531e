/// The compression function of SHA-256 (FIPS 180-4, 6.2) over whole blocks of 64 bytes; `state` is the chaining value. For processors
/// without instructions for it; see `SHA256Method`.
///
/// Compiled for AVX2 and AVX-512 as well it was no faster, so there is one version.
func compressSHA256Portably(_ blocks: UnsafeRawBufferPointer, into state: UnsafeMutablePointer<UInt32>) {
  withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 64) { schedule in
    let words = schedule.baseAddress!
    for start in stride(from: 0, to: blocks.count, by: 64) {
      expand(blocks.baseAddress! + start, words)
      mix(words, state)
    }
  }
}

@inline(__always)
private func rotated(_ x: UInt32, _ count: UInt32) -> UInt32 { (x &>> count) | (x &<< (32 &- count)) }

/// The sixty-four words that follow from a block.
@inline(__always)
private func expand(_ block: UnsafeRawPointer, _ w: UnsafeMutablePointer<UInt32>) {
  var t = 0
  while t < 16 {
    w[t] = UInt32(bigEndian: block.loadUnaligned(fromByteOffset: 4 * t, as: UInt32.self))
    t += 1
  }
  while t < 64 {
    let a = w[t - 15]
    let b = w[t - 2]
    let s0 = rotated(a, 7) ^ rotated(a, 18) ^ (a &>> 3)
    let s1 = rotated(b, 17) ^ rotated(b, 19) ^ (b &>> 10)
    w[t] = w[t - 16] &+ s0 &+ w[t - 7] &+ s1
    t += 1
  }
}

@inline(__always)
private func round(
  _ a: UInt32, _ b: UInt32, _ c: UInt32, _ d: inout UInt32, _ e: UInt32, _ f: UInt32, _ g: UInt32, _ h: inout UInt32,
  _ word: UInt32
) {
  let s1 = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)
  let choice = g ^ (e & (f ^ g))
  let t1 = h &+ s1 &+ choice &+ word
  let s0 = rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)
  let majority = (a & b) | (c & (a | b))
  d = d &+ t1
  h = t1 &+ s0 &+ majority
}

// The constants are the fractions of the cube roots of the first 64 primes.
@inline(__always)
private func mix(_ w: UnsafePointer<UInt32>, _ y: UnsafeMutablePointer<UInt32>) {
  var (a, b, c, d, e, f, g, h) = (y[0], y[1], y[2], y[3], y[4], y[5], y[6], y[7])
  round(a, b, c, &d, e, f, g, &h, w[0] &+ 0x428A_2F98)
  round(h, a, b, &c, d, e, f, &g, w[1] &+ 0x7137_4491)
  round(g, h, a, &b, c, d, e, &f, w[2] &+ 0xB5C0_FBCF)
  round(f, g, h, &a, b, c, d, &e, w[3] &+ 0xE9B5_DBA5)
  round(e, f, g, &h, a, b, c, &d, w[4] &+ 0x3956_C25B)
  round(d, e, f, &g, h, a, b, &c, w[5] &+ 0x59F1_11F1)
  round(c, d, e, &f, g, h, a, &b, w[6] &+ 0x923F_82A4)
  round(b, c, d, &e, f, g, h, &a, w[7] &+ 0xAB1C_5ED5)
  round(a, b, c, &d, e, f, g, &h, w[8] &+ 0xD807_AA98)
  round(h, a, b, &c, d, e, f, &g, w[9] &+ 0x1283_5B01)
  round(g, h, a, &b, c, d, e, &f, w[10] &+ 0x2431_85BE)
  round(f, g, h, &a, b, c, d, &e, w[11] &+ 0x550C_7DC3)
  round(e, f, g, &h, a, b, c, &d, w[12] &+ 0x72BE_5D74)
  round(d, e, f, &g, h, a, b, &c, w[13] &+ 0x80DE_B1FE)
  round(c, d, e, &f, g, h, a, &b, w[14] &+ 0x9BDC_06A7)
  round(b, c, d, &e, f, g, h, &a, w[15] &+ 0xC19B_F174)
  round(a, b, c, &d, e, f, g, &h, w[16] &+ 0xE49B_69C1)
  round(h, a, b, &c, d, e, f, &g, w[17] &+ 0xEFBE_4786)
  round(g, h, a, &b, c, d, e, &f, w[18] &+ 0x0FC1_9DC6)
  round(f, g, h, &a, b, c, d, &e, w[19] &+ 0x240C_A1CC)
  round(e, f, g, &h, a, b, c, &d, w[20] &+ 0x2DE9_2C6F)
  round(d, e, f, &g, h, a, b, &c, w[21] &+ 0x4A74_84AA)
  round(c, d, e, &f, g, h, a, &b, w[22] &+ 0x5CB0_A9DC)
  round(b, c, d, &e, f, g, h, &a, w[23] &+ 0x76F9_88DA)
  round(a, b, c, &d, e, f, g, &h, w[24] &+ 0x983E_5152)
  round(h, a, b, &c, d, e, f, &g, w[25] &+ 0xA831_C66D)
  round(g, h, a, &b, c, d, e, &f, w[26] &+ 0xB003_27C8)
  round(f, g, h, &a, b, c, d, &e, w[27] &+ 0xBF59_7FC7)
  round(e, f, g, &h, a, b, c, &d, w[28] &+ 0xC6E0_0BF3)
  round(d, e, f, &g, h, a, b, &c, w[29] &+ 0xD5A7_9147)
  round(c, d, e, &f, g, h, a, &b, w[30] &+ 0x06CA_6351)
  round(b, c, d, &e, f, g, h, &a, w[31] &+ 0x1429_2967)
  round(a, b, c, &d, e, f, g, &h, w[32] &+ 0x27B7_0A85)
  round(h, a, b, &c, d, e, f, &g, w[33] &+ 0x2E1B_2138)
  round(g, h, a, &b, c, d, e, &f, w[34] &+ 0x4D2C_6DFC)
  round(f, g, h, &a, b, c, d, &e, w[35] &+ 0x5338_0D13)
  round(e, f, g, &h, a, b, c, &d, w[36] &+ 0x650A_7354)
  round(d, e, f, &g, h, a, b, &c, w[37] &+ 0x766A_0ABB)
  round(c, d, e, &f, g, h, a, &b, w[38] &+ 0x81C2_C92E)
  round(b, c, d, &e, f, g, h, &a, w[39] &+ 0x9272_2C85)
  round(a, b, c, &d, e, f, g, &h, w[40] &+ 0xA2BF_E8A1)
  round(h, a, b, &c, d, e, f, &g, w[41] &+ 0xA81A_664B)
  round(g, h, a, &b, c, d, e, &f, w[42] &+ 0xC24B_8B70)
  round(f, g, h, &a, b, c, d, &e, w[43] &+ 0xC76C_51A3)
  round(e, f, g, &h, a, b, c, &d, w[44] &+ 0xD192_E819)
  round(d, e, f, &g, h, a, b, &c, w[45] &+ 0xD699_0624)
  round(c, d, e, &f, g, h, a, &b, w[46] &+ 0xF40E_3585)
  round(b, c, d, &e, f, g, h, &a, w[47] &+ 0x106A_A070)
  round(a, b, c, &d, e, f, g, &h, w[48] &+ 0x19A4_C116)
  round(h, a, b, &c, d, e, f, &g, w[49] &+ 0x1E37_6C08)
  round(g, h, a, &b, c, d, e, &f, w[50] &+ 0x2748_774C)
  round(f, g, h, &a, b, c, d, &e, w[51] &+ 0x34B0_BCB5)
  round(e, f, g, &h, a, b, c, &d, w[52] &+ 0x391C_0CB3)
  round(d, e, f, &g, h, a, b, &c, w[53] &+ 0x4ED8_AA4A)
  round(c, d, e, &f, g, h, a, &b, w[54] &+ 0x5B9C_CA4F)
  round(b, c, d, &e, f, g, h, &a, w[55] &+ 0x682E_6FF3)
  round(a, b, c, &d, e, f, g, &h, w[56] &+ 0x748F_82EE)
  round(h, a, b, &c, d, e, f, &g, w[57] &+ 0x78A5_636F)
  round(g, h, a, &b, c, d, e, &f, w[58] &+ 0x84C8_7814)
  round(f, g, h, &a, b, c, d, &e, w[59] &+ 0x8CC7_0208)
  round(e, f, g, &h, a, b, c, &d, w[60] &+ 0x90BE_FFFA)
  round(d, e, f, &g, h, a, b, &c, w[61] &+ 0xA450_6CEB)
  round(c, d, e, &f, g, h, a, &b, w[62] &+ 0xBEF9_A3F7)
  round(b, c, d, &e, f, g, h, &a, w[63] &+ 0xC671_78F2)
  y[0] = y[0] &+ a
  y[1] = y[1] &+ b
  y[2] = y[2] &+ c
  y[3] = y[3] &+ d
  y[4] = y[4] &+ e
  y[5] = y[5] &+ f
  y[6] = y[6] &+ g
  y[7] = y[7] &+ h
}

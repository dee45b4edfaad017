// Invariant I4 on the device. A worker owns one 64-bit word that starts as all ones; a kernel that writes NaN or infinity
// lowers it to (operation, index, upper half of the value), so the earliest operation of a step and its lowest index
// remain, whatever the order in which threads run. The host reads it after every step: LaunchPlan.check takes it apart.
#pragma once

// The value's upper 16 bits tell NaN and the two infinities apart; a NaN whose payload lies lower is given a quiet one.
__device__ __forceinline__ void check_finite(unsigned long long* fault, int op, int index, float value) {
  if ((__float_as_uint(value) & 0x7f800000u) == 0x7f800000u) {
    unsigned int upper = value != value ? 0x7fc0u : __float_as_uint(value) >> 16;
    atomicMin(fault, ((unsigned long long)(unsigned int)op << 48) | ((unsigned long long)(unsigned int)index << 16) | upper);
  }
}

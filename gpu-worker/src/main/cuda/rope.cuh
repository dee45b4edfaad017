// One pair of a rotary embedding (docs/numerics.md, "Rotary embedding"; CPU twin Kernels.rope).
#pragma once

__device__ __forceinline__ void turn(float a, float b, float cosine, float sine, float* low, float* high) {
  *low = __fmaf_rn(-b, sine, __fmul_rn(a, cosine));
  *high = __fmaf_rn(a, sine, __fmul_rn(b, cosine));
}

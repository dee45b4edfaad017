// What happens to a finished dot product before it is stored, so that it is stored once. Every step is the one rounding of
// the op that it stands for (CPU twins: addBias, add, swiglu), in the order in which the ops would follow.
#pragma once

#include "elementary.cuh"
#include "fault.cuh"

// y = dot (+ bias).
#define PLAIN 0
// y = residual + (dot (+ bias)); residual lies as y does and may be y.
#define RESIDUAL 1
// The weight's first half of rows are gates, the second half are ups: y = swiglu(gate, up), half as wide.
#define SWIGLU 2

// A fault of op names the dot product, of op + 1 the sum with the bias, of op + 2 the residual sum or swiglu. index counts
// the elements of the dot product's own (T, N).
__device__ __forceinline__ float with_bias(float dot, const float* bias, int n, int index, unsigned long long* fault, int op) {
  check_finite(fault, op, index, dot);
  if (bias == nullptr) {
    return dot;
  }
  float sum = __fadd_rn(dot, bias[n]);
  check_finite(fault, op + 1, index, sum);
  return sum;
}

// Stores element (t, n) of a PLAIN or RESIDUAL product, and gives it.
__device__ __forceinline__ float store_element(float dot, const float* bias, const float* residual, float* y, int y_stride, int t, int n,
                                              int columns, int mode, unsigned long long* fault, int op) {
  float value = with_bias(dot, bias, n, t * columns + n, fault, op);
  size_t at = (size_t)t * y_stride + n;
  if (mode == RESIDUAL) {
    value = __fadd_rn(residual[at], value);
    check_finite(fault, op + 2, t * columns + n, value);
  }
  y[at] = value;
  return value;
}

// Stores element (t, n) of a SWIGLU product from its gate's and its up's dot products, and gives it.
__device__ __forceinline__ float store_swiglu(float gate, float up, const float* bias, float* y, int y_stride, int t, int n, int columns,
                                             unsigned long long* fault, int op) {
  int half = columns / 2;
  float g = with_bias(gate, bias, n, t * columns + n, fault, op);
  float u = with_bias(up, bias, n + half, t * columns + n + half, fault, op);
  float value = swiglu_exact(g, u);
  check_finite(fault, op + 2, t * half + n, value);
  y[(size_t)t * y_stride + n] = value;
  return value;
}

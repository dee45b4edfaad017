// How fast the device multiplies and adds binary32 numbers when nothing else holds it up: the ceiling that f32-v1's products are
// measured against.
//
// CPU twin: FmaPeak in the benchmarks. Every thread carries 16 chains y = fma(y, a, b) of `steps` steps in registers and stores their
// sum, chain after chain in ascending order, so that none can be left out. Memory: one store a thread. Grid of any size,
// block 256. 2 * 16 * steps operations a thread.

#define CHAINS 16

// y (threads of the launch).
extern "C" __global__ void __launch_bounds__(256) peak_f32(float* y, float a, float b, int steps) {
  int thread = blockIdx.x * blockDim.x + threadIdx.x;
  float chain[CHAINS];
#pragma unroll
  for (int i = 0; i < CHAINS; i++) {
    chain[i] = (float)(thread + i);
  }
#pragma unroll 4
  for (int step = 0; step < steps; step++) {
#pragma unroll
    for (int i = 0; i < CHAINS; i++) {
      chain[i] = __fmaf_rn(chain[i], a, b);
    }
  }
  float sum = 0.0f;
#pragma unroll
  for (int i = 0; i < CHAINS; i++) {
    sum = __fadd_rn(sum, chain[i]);
  }
  y[thread] = sum;
}

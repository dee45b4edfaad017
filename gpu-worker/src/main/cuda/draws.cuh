// What the host says of every token that is to be chosen (CPU twins: SamplingParameters, TokenHistory; SamplingInput writes it).
#pragma once

// How many of the most likely tokens are ranked.
#define RANKED 256

struct Draw {
  int row;            // of the logits
  float inverse;      // 1 / temperature; 1 where the temperature is 0
  float u;            // what chooses, in [0, 1); below 0 the largest is taken
  int top_k;          // 0 for all, at most RANKED
  float top_p;        // 1 for all
  float min_p;        // 0 for all
  int first_change;   // its changes among all
  int changes;        // how many
  float repetition;   // 1 for none
  float frequency;    // 0 for none
  float presence;     // 0 for none
  int unused;
};

// A token whose logit changes before anything else.
struct Change {
  int token;
  int kinds;  // BIASED, PENALISED or both
  float bias;
  int generated;  // how often so far
};

#define BIASED 1
#define PENALISED 2

// The host has to choose this token. Tokens begin as 0.
__device__ __forceinline__ void leave_to_host(int* tokens, int draw) { atomicMin(tokens + draw, -1); }

__device__ __forceinline__ bool is_greedy(const Draw& draw) { return draw.u < 0.0f; }

__device__ __forceinline__ bool is_ranked(const Draw& draw) { return !is_greedy(draw) && (draw.top_k > 0 || draw.top_p < 1.0f); }

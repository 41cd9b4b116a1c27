// What same_bits_check.cpp must find, a row a kernel, so that no compiler and no CPU changes a bit unseen. Who changes
// the rounding of one on purpose, or adds one that is to stay, takes its digests from what the check prints.
#pragma once

#include <cstdint>

namespace nnext::testing {

struct Digest {
  const char* name;
  std::uint64_t f32, f64;
};
inline constexpr Digest kDigests[] = {
    {"product", 0x757bb3014e723e16, 0xb5aa5c19c6505c4b},
    {"exp", 0xda9829869d404e69, 0x7844931b8114ea5b},
    {"log", 0x3d6ea019639c1e9e, 0xa56d2c8168de0c6a},
    {"identity", 0x45673390091ae451, 0x8f90b16413c4111d},
    {"relu", 0x5fe3764e8df49c31, 0xae85cb0062545f09},
    {"leaky_relu", 0x714d54583a149a49, 0xd51b6f4a4701106d},
    {"hardtanh", 0x72275fa37f3ddd75, 0xe01b7870c0181089},
    {"hardswish", 0x73e29c98115d2b60, 0x7683b16fb6a2a08f},
    {"softsign", 0x05e5984268c5a0a8, 0xea772615a3dced80},
    {"elu", 0x002bc1e6499ed011, 0xb3e227012d2e8a84},
    {"selu", 0xb35b128f6e54d49a, 0x035443cd7b2566de},
    {"softplus", 0xf71ed6dbca360981, 0x58460e631554fbe8},
    {"silu", 0xfdf41a0143352168, 0x6dbe292879b471a2},
    {"mish", 0xdd142de2dfd3021d, 0xefe97cc63eb13b14},
    {"tanh", 0xd42976278d23e169, 0x984aa3bd318fed43},
    {"sigmoid", 0xc95ee895aea3aabe, 0x6c5298067a2b1403},
    {"gelu", 0x2b3745d1a8871527, 0x2428ff78a14e1b8f},
    {"gelu_tanh", 0x5c223c95904c1797, 0x99d8bc27d8da7695},
    {"softmax", 0x68909de2af4d2ff1, 0x022f6e92ebe770bb},
    {"softmax gradient", 0xdce09db198f2aba8, 0x68e25108a0f89917},
    {"log_softmax", 0x2ed92ec93373f808, 0x861b64a14d83e37c},
    {"log_softmax gradient", 0x44342e8692d8bd62, 0xda6be6c801357963},
    {"prelu", 0xbed85c8a72faa0fc, 0x5a35c586894295b6},
    {"prelu of one weight", 0x731a057794a9a808, 0x55456d037ecb50fc},
    {"noise", 0xbb68328850cfc478, 0xf8bfa141ea49ecf3},
    {"mse", 0x4f2846bc7706e3de, 0x8238fa9c6a7c890d},
    {"bce", 0xa85012e675330a76, 0x411d3401a2e9fbe3},
    {"bce_with_logits", 0xfd97d065b8b28317, 0xdc5de2db5a6a6126},
    {"huber", 0xc900d5bb32d39aa1, 0xe7cece20e478d161},
    {"cross_entropy", 0x4f7f476310afa1d6, 0xcdf210a5a6a40e16},
    {"cross_entropy of labels", 0x08f8214129e48088, 0xd07e5eb95fb160f3},
    {"column_sums", 0x931c3f25778d8fca, 0xbbf2fcb4eb3f8990},
    {"column_squares", 0x9e58e794e818f750, 0x57e8a0ef3d5890a7},
    {"moments", 0x14f0934dcc0389d3, 0x3ccd3da98ec91359},
    {"normalize", 0x39347a8f5e64adcc, 0xee755a23ca9eb5d6},
    {"normalize gradient", 0x7ecf7503b6d3b7eb, 0xf823617b36645058},
    {"row norm", 0x1eebb1598e20609c, 0x3a83633f1aa1207c},
    {"row norm gradient", 0xd5a0f506ea2fd0a3, 0xe3d40787d8491e07},
    {"row norm weights", 0x667657c303005eb1, 0x20b9b4310a09bb24},
    {"rms norm", 0x1fac44d1d46ce329, 0xe662c18743d9deb3},
    {"rms norm gradient", 0xc9d53c05111548a4, 0x4f4e0a0baa5b6097},
    {"rms norm weights", 0x5dcecd23347125e0, 0xb51bc310a96168a5},
    {"sgd", 0xff9735b8e9adeaf9, 0xf74f9e178568535f},
    {"adam", 0x018dac1433b11770, 0xe1c6ce913dfa2bac},
    {"nadam", 0x118efa5b2735bb7c, 0x4c57ab27c15866d3},
    {"lerp", 0xdd1ca42c729d6a0c, 0x8285250e4398b922},
    {"adagrad", 0x857ee2180cd75279, 0xfee4e60383d55c48},
    {"dampened sgd", 0x4bed9a8eaa95ea95, 0xf9e65138fcc1154e},
    {"decoupled adam with the largest v", 0xbe8f7d8e03cf77f1, 0x1f3504f0a7fe498e},
    {"rmsprop", 0xdd1ef10828160ea4, 0xac7a8d67b50cf4b9},
    {"adadelta", 0x03277f1dfdee0d84, 0x5527e83d39fcd6ce},
    {"lion", 0x9d6a99852b7dcc78, 0x3c0afaae23292a4f},
    {"rprop", 0x7eec992b47e1116a, 0x7237316cea7e74b1},
    {"clipped gradient with l1", 0x2c7f358346808b53, 0x6f60bc49f56d6187},
};

}  // namespace nnext::testing

#include <gtest/gtest.h>

#include "equiv/equiv.h"

namespace rt = equiv::runtime;

rt::Tensor Dense(const rt::Tensor& x) {
  rt::VariableScope scope("dense");
  const rt::Variable w = rt::GetVariable(
      "kernel", {.shape = equiv::PartialShape{20, 10}, .initializer = rt::GlorotNormal(), .regularizer = rt::L2(0.01)});
  return rt::MatMul(x, w);
}

TEST(Dense, SessionAndEagerAgree) {
  EXPECT_NUMERICALLY_EQUIVALENT(
      equiv::InSession(Dense), equiv::InEager(Dense),
      {.inputs = {rt::Ones({8, 20})}, .random = equiv::NumRandomOps(42), .rtol = 1e-6, .atol = 1e-5});
}

// equiv/equiv.h - one include for tests of a model on two sides.
#pragma once
#include "equiv/gtest/equivalence.h"    // EXPECT_NUMERICALLY_EQUIVALENT
#include "equiv/gtest/matchers.h"       // NumericallyEquivalentTo
#include "equiv/harness/graph_side.h"   // FromGraphDef
#include "equiv/harness/guards.h"       // AssertNoVariableCreations, CatchAndRaiseCreatedVariables
#include "equiv/harness/random_tool.h"  // DeterministicRandomTestTool
#include "equiv/harness/stages.h"       // CheckEquivalence
#include "runtime/checkpoint/checkpoint.h"
#include "runtime/checkpoint/checkpoint_manager.h"
#include "runtime/checkpoint/checkpoint_utils.h"
#include "runtime/checkpoint/saver.h"
#include "runtime/core/ops.h"
#include "runtime/function/function.h"
#include "runtime/layers/keras.h"
#include "runtime/layers/model.h"
#include "runtime/layers/slim.h"
#include "runtime/layers/template.h"
#include "runtime/layers/v1.h"
#include "runtime/random/initializers.h"
#include "runtime/random/random_ops.h"
#include "runtime/variables/regularizers.h"
#include "runtime/variables/variables.h"

// Checkpoint: what is matched now, what waits, what the status says of it. Expectations recorded from
// TensorFlow 2.15.1.
#include "runtime/checkpoint/checkpoint.h"

#include <gmock/gmock.h>

#include "runtime/checkpoint/checkpoint_state.h"
#include "runtime/checkpoint/saver.h"
#include "suites/runtime/checkpoint/objects.h"

namespace equiv::runtime {
namespace {
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kDetecting = "WARNING: Detecting that an object or model or tf.train.Checkpoint is being deleted";
std::string NotFound(const std::string& node) {
  return "WARNING: Value in checkpoint could not be found in the restored object: " + node;
}
std::string Unresolved(const std::string& node, const std::string& full_name, const std::string& key) {
  return fmt::format(
      "AssertionError: Unresolved object in checkpoint {}: attributes {{\n  name: \"VARIABLE_VALUE\"\n  full_name: "
      "\"{}\"\n  checkpoint_key: \"{}/.ATTRIBUTES/VARIABLE_VALUE\"\n}}\nhas_checkpoint_values {{\n  value: true\n}}\n",
      node, full_name, key);
}
std::string Unbound(int count, const std::string& list) {
  return fmt::format(
      "AssertionError: Found {0} Python objects that were not bound to checkpointed values, likely due to changes in "
      "the Python program. Showing {0} of {0} unmatched objects: [{1}]",
      count, list);
}

class CheckpointStatus : public CheckpointTest {
 protected:
  // m.a = [1, 2], m.b = 3, l[0] = 4
  static void Source() {
    Checkpoint({{"m", Mod({{"a", V({1, 2}, "a")}, {"b", V(3, "b")}})}, {"l", Attribute::List{V(4, "l0")}}}).Write("ck");
  }
};

TEST_F(CheckpointStatus, EverythingMatches) {
  Source();
  const Variable a = V({0, 0}), b = V(0), l = V(0);
  Checkpoint c({{"m", Mod({{"a", a}, {"b", b}})}, {"l", Attribute::List{l}}});
  const auto status = c.Read("ck");
  EXPECT_THAT(ValuesOf(a), ElementsAre(1, 2));
  EXPECT_EQ(ValueOf(b), 3);
  EXPECT_EQ(ValueOf(l), 4);
  EXPECT_THAT(Asserts(*status), ElementsAre("ok", "ok", "ok"));
}

// A dictionary in the place of a module, "0" in the place of a list's item: names are all that counts.
TEST_F(CheckpointStatus, OtherContainers) {
  Source();
  const Variable a = V({0, 0}), b = V(0);
  Checkpoint c({{"m", Attribute::Dict{{"a", a}, {"b", b}}}, {"l", Attribute::Dict{{"0", V(0)}}}});
  EXPECT_THAT(Asserts(*c.Read("ck")), ElementsAre("ok", "ok", "ok"));
  EXPECT_EQ(ValueOf(b), 3);
}

TEST_F(CheckpointStatus, AVariableTooMany) {
  Source();
  Checkpoint c({{"m", Mod({{"a", V({0, 0})}, {"b", V(0)}, {"new", V({9, 9}, "new")}})}, {"l", Attribute::List{V(0)}}});
  const std::string unbound =
      Unbound(1, "<tf.Variable 'new:0' shape=(2,) dtype=float32, numpy=array([9., 9.], dtype=float32)>");
  EXPECT_THAT(Asserts(*c.Read("ck")), ElementsAre(unbound, unbound, "ok"));
}

TEST_F(CheckpointStatus, AVariableTooFew) {
  Source();
  const Logged log;
  {
    Checkpoint c({{"m", Mod({{"a", V({0, 0})}})}, {"l", Attribute::List{V(0)}}});
    EXPECT_THAT(Asserts(*c.Read("ck")), ElementsAre(Unresolved("(root).m.b", "b", "m/b"), "ok", "ok"));
  }
  EXPECT_THAT(log.lines(), ElementsAre(StartsWith(kDetecting), NotFound("(root).m.b")));
}

TEST_F(CheckpointStatus, NothingInCommon) {
  Source();
  Checkpoint c({{"other", Mod({{"x", V({0, 0})}, {"y", V(0)}})}});
  const auto status = c.Read("ck");
  status->ExpectPartial();
  EXPECT_THAT(Asserts(*status)[2],
              HasSubstr("AssertionError: Nothing except the root object matched a checkpointed value. Typically this "
                        "means that the checkpoint does not match the Python program. The following objects have no "
                        "matching checkpointed value: [<tf.Variable 'Variable:0' shape=(2,)"));
}

TEST_F(CheckpointStatus, NothingAtAll) {
  Source();
  Checkpoint c;
  const auto status = c.Read("ck");
  status->ExpectPartial();
  EXPECT_THAT(Asserts(*status)[0], StartsWith("AssertionError: Unresolved object in checkpoint (root)."));
  EXPECT_THAT(Asserts(*status)[2], HasSubstr("Nothing to load. No dependencies have been added to "));
}

TEST_F(CheckpointStatus, OneObjectUnderTwoNames) {
  Source();
  const Variable a = V({0, 0}), b = V(0);
  Checkpoint c({{"m", Mod({{"a", a}, {"b", b}, {"alias", a}})}, {"l", Attribute::List{V(0)}}});
  EXPECT_THAT(Asserts(*c.Read("ck")), ElementsAre("ok", "ok", "ok"));
}

TEST_F(CheckpointStatus, TwoObjectsForOneValue) {
  const Variable shared = V(1);
  Checkpoint({{"x", shared}, {"y", shared}}).Write("ck");
  const Variable x = V(0, "x"), y = V(0, "y");
  Checkpoint c({{"x", x}, {"y", y}});
  const auto status = c.Read("ck");
  EXPECT_EQ(ValueOf(x), 1);
  EXPECT_EQ(ValueOf(y), 0);
  EXPECT_EQ(Asserts(*status)[0], Unbound(1, "<tf.Variable 'y:0' shape=() dtype=float32, numpy=0.0>"));
}

TEST_F(CheckpointStatus, RestoreWantsTheSaveCounter) {
  Source();
  Checkpoint c({{"m", Mod({{"a", V({0, 0})}, {"b", V(0)}})}, {"l", Attribute::List{V(0)}}});
  const std::string unbound = Unbound(1, "<tf.Variable 'save_counter:0' shape=() dtype=int64, numpy=0>");
  EXPECT_THAT(Asserts(*c.Restore("ck")), ElementsAre(unbound, unbound, "ok"));
}

TEST_F(CheckpointStatus, ShowsTenOfMany) {
  Checkpoint({{"x", V(1)}}).Write("ck");
  Attribute::List many;
  for (int i = 0; i < 14; ++i) many.emplace_back(V(i, fmt::format("v{}", i)));
  Checkpoint c({{"x", V(0)}, {"l", many}});
  EXPECT_THAT(Asserts(*c.Read("ck"))[0],
              HasSubstr("Found 14 Python objects that were not bound to checkpointed values, "
                        "likely due to changes in the Python program. Showing 10 of 14"));
}

TEST_F(CheckpointStatus, ExpectPartialIsSilent) {
  Source();
  const Logged log;
  Checkpoint({{"m", Mod({{"a", V({0, 0})}})}}).Read("ck")->ExpectPartial();
  EXPECT_EQ(log.text(), "");
}

TEST_F(CheckpointStatus, AVariableWhereAModuleWas) {
  Checkpoint({{"x", V(1)}}).Write("variable");
  Checkpoint({{"x", Mod({{"y", V(2)}})}}).Write("module");
  const Logged log;
  {
    Checkpoint c({{"x", Mod({{"y", V(2)}})}});
    EXPECT_EQ(Asserts(*c.Read("variable"))[0],
              Unbound(1, "<tf.Variable 'Variable:0' shape=() dtype=float32, numpy=2.0>"));
  }
  EXPECT_THAT(log.lines(),
              ElementsAre(StartsWith(kDetecting),
                          "WARNING: An attribute in the restored object could not be found in the checkpoint. Object: "
                          "(root).x, attribute: ['VARIABLE_VALUE']"));
  Checkpoint c({{"x", V(1)}});
  const auto status = c.Read("module");
  status->ExpectPartial();
  EXPECT_THAT(Asserts(*status), ElementsAre(Unresolved("(root).x.y", "Variable", "x/y"), "ok", "ok"));
}

// An error changes nothing.
TEST_F(CheckpointStatus, WrongShapeAndDtype) {
  Checkpoint({{"x", V(std::vector<float>{1})}, {"y", V({1, 2, 3})}}).Write("ck");
  const Variable x = V(std::vector<float>{0}, "x"), y = V({0, 0}, "y");
  EXPECT_EQ(Attempt([&] {
              Checkpoint({{"x", x}, {"y", y}}).Read("ck");
            }),
            "ValueError: Received incompatible tensor with shape (3,) when attempting to restore variable with shape "
            "(2,) and name y:0.");
  EXPECT_EQ(ValueOf(x), 0);
  const Variable i = MakeVariable(Tensor(Array::Full<std::int32_t>(Shape{3}, 0)), {.name = "i"});
  const Logged quiet;
  EXPECT_EQ(Attempt([&] {
              Checkpoint({{"y", i}}).Read("ck");
            }),
            "InvalidArgumentError: tensor_name = y/.ATTRIBUTES/VARIABLE_VALUE; expected dtype int32 does not equal "
            "original dtype float (checkpoint 'ck')");
}

TEST_F(CheckpointStatus, TheLaterRestorationWins) {
  Checkpoint({{"x", V(1)}}).Write("c1");
  Checkpoint({{"x", V(2)}}).Write("c2");
  const Variable x = V(0);
  Checkpoint c({{"x", x}});
  const auto first = c.Read("c1"), second = c.Read("c2");
  EXPECT_EQ(ValueOf(x), 2);
  EXPECT_THAT(Asserts(*first), ElementsAre("ok", "ok", "ok"));
  EXPECT_THAT(Asserts(*second), ElementsAre("ok", "ok", "ok"));
}

class CheckpointDeferred : public CheckpointTest {};

TEST_F(CheckpointDeferred, Attributes) {
  Checkpoint({{"m", Mod({{"x", V(1)}, {"sub", Mod({{"y", V(5)}})}})}}).Write("ck");
  const auto m = Mod();
  const auto status = Checkpoint({{"m", m}}).Read("ck");
  EXPECT_EQ(Asserts(*status)[0], Unresolved("(root).m.x", "Variable", "m/x"));
  const Variable y = V(0), x = V(0);
  m->SetAttribute("sub", Mod({{"y", y}}));
  EXPECT_EQ(ValueOf(y), 5);
  m->SetAttribute("x", x);
  EXPECT_EQ(ValueOf(x), 1);
  EXPECT_THAT(Asserts(*status), ElementsAre("ok", "ok", "ok"));
}

TEST_F(CheckpointDeferred, AttachedToTheCheckpoint) {
  Checkpoint({{"m", Mod({{"x", V(1)}})}}).Save("ck");
  Checkpoint c;
  const auto status = c.Restore("ck-1");
  EXPECT_EQ(c.save_counter().Read().array().data<std::int64_t>()[0], 1);
  const Variable x = V(0);
  c.Track("m", Mod({{"x", x}}));
  EXPECT_EQ(ValueOf(x), 1);
  EXPECT_THAT(Asserts(*status), ElementsAre("ok", "ok", "ok"));
}

TEST_F(CheckpointDeferred, ListsAndDictionariesGrow) {
  Checkpoint({{"l", Attribute::List{V(1), V(2)}}, {"d", Attribute::Dict{{"a", V(3)}, {"b", V(4)}}}}).Write("ck");
  const auto list = std::make_shared<TrackableList>();
  const auto dict = std::make_shared<TrackableDict>();
  Checkpoint c({{"l", list}, {"d", dict}});
  const auto status = c.Read("ck");
  const Variable l0 = V(0), l1 = V(0), l2 = V(7), a = V(0), b = V(0);
  for (const Variable& v : {l0, l1}) list->Append(v);
  dict->Set("b", b);
  EXPECT_EQ(ValueOf(b), 4);
  EXPECT_EQ(Asserts(*status)[0], Unresolved("(root).d.a", "Variable", "d/a"));
  dict->Set("a", a);
  EXPECT_THAT(Asserts(*status), ElementsAre("ok", "ok", "ok"));
  EXPECT_EQ(ValueOf(l0), 1);
  EXPECT_EQ(ValueOf(l1), 2);
  list->Append(l2);
  EXPECT_EQ(ValueOf(l2), 7);
  EXPECT_EQ(Asserts(*status)[0], Unbound(1, "<tf.Variable 'Variable:0' shape=() dtype=float32, numpy=7.0>"));
}

TEST_F(CheckpointDeferred, TheNewestWaitingRestorationWins) {
  Checkpoint({{"m", Mod({{"x", V(1)}, {"y", V(10)}})}}).Write("c1");
  Checkpoint({{"m", Mod({{"x", V(2)}})}}).Write("c2");
  const auto m = Mod();
  Checkpoint c({{"m", m}});
  const auto first = c.Read("c1"), second = c.Read("c2");
  const Variable x = V(0), y = V(0);
  m->SetAttribute("x", x);
  m->SetAttribute("y", y);
  EXPECT_EQ(ValueOf(x), 2);
  EXPECT_EQ(ValueOf(y), 10);
  EXPECT_THAT(Asserts(*first), ElementsAre("ok", "ok", "ok"));
  EXPECT_EQ(Asserts(*second)[0], Unbound(1, "<tf.Variable 'Variable:0' shape=() dtype=float32, numpy=10.0>"));
}

TEST_F(CheckpointDeferred, OutlivesCheckpointAndStatus) {
  Checkpoint({{"m", Mod({{"x", V(1)}})}}).Write("ck");
  const auto m = Mod();
  Checkpoint({{"m", m}}).Read("ck");
  const Variable x = V(0);
  m->SetAttribute("x", x);
  EXPECT_EQ(ValueOf(x), 1);
}

TEST_F(CheckpointDeferred, WarnsOfWhatNeverCame) {
  Checkpoint({{"m", Mod({{"x", V(1)}})}}).Write("ck");
  const Logged log;
  {
    const auto m = Mod();
    Checkpoint({{"m", m}}).Read("ck");
    EXPECT_EQ(log.text(), "");
  }
  EXPECT_THAT(log.lines(), ElementsAre(StartsWith(kDetecting), NotFound("(root).m.x")));
}

TEST_F(CheckpointDeferred, AReplacedAttributeIsNotRestored) {
  Checkpoint({{"m", Mod({{"x", V(1)}})}}).Write("ck");
  const auto m = Mod({{"x", V(0)}});
  Checkpoint c({{"m", m}});
  const auto status = c.Read("ck");
  const Variable other = V(9);
  m->SetAttribute("x", other);
  EXPECT_EQ(ValueOf(other), 9);
  EXPECT_EQ(Asserts(*status)[0], Unbound(1, "<tf.Variable 'Variable:0' shape=() dtype=float32, numpy=9.0>"));
}

TEST_F(CheckpointDeferred, WrongShapeWhenAttached) {
  Checkpoint({{"m", Mod({{"x", V({1, 2})}})}}).Write("ck");
  const auto m = Mod();
  const auto status = Checkpoint({{"m", m}}).Read("ck");
  status->ExpectPartial();
  EXPECT_EQ(Attempt([&] { m->SetAttribute("x", V(std::vector<float>{0})); }),
            "ValueError: Received incompatible tensor with shape (2,) when attempting to restore variable with shape "
            "(1,) and name Variable:0.");
}

class CheckpointFile : public CheckpointTest {};

TEST_F(CheckpointFile, NoCheckpointAtAll) {
  const Variable x = V(1);
  Checkpoint c({{"x", x}});
  const auto status = c.Restore(LatestCheckpoint("."));
  const std::string refused = "AssertionError: No checkpoint specified (save_path=None); nothing is being restored.";
  EXPECT_THAT(Asserts(*status), ElementsAre(refused, refused, refused));
  EXPECT_EQ(Attempt([&] { status->RunRestoreOps(); }),
            "AssertionError: No checkpoint specified, so no restore ops are available (save_path=None to "
            "Saver.restore).");
  EXPECT_EQ(Attempt([&] { status->InitializeOrRestore(); }), "ok");
}

TEST_F(CheckpointFile, MissingFiles) {
  Checkpoint c({{"x", V(1)}});
  for (const char* path : {"nothing", "", "dir/nothing"}) {
    const std::string error = Attempt([&] { c.Restore(path); });
    EXPECT_THAT(error, StartsWith(fmt::format(
                           "NotFoundError: Error when restoring from checkpoint or SavedModel at {}: Unsuccessful "
                           "TensorSliceReader constructor: Failed to find any matching files for {}",
                           path, path)));
    EXPECT_THAT(error, HasSubstr("You may be missing the checkpoint suffix (e.g. the '-1' in 'path/to/ckpt-1')."));
  }
  const std::string saved = c.Save("ck");
  EXPECT_THAT(Attempt([&] { c.Restore("ck"); }), StartsWith("NotFoundError"));
  EXPECT_THAT(Attempt([&] { c.Read(saved + ".data-00000-of-00001"); }), StartsWith("NotFoundError"));
  std::filesystem::create_directory("d");
  EXPECT_THAT(Attempt([&] { c.Read("d"); }),
              testing::AllOf(StartsWith("NotFoundError"), HasSubstr("a checkpoint is named by its prefix")));
}

TEST_F(CheckpointFile, SaveCounts) {
  const Variable x = V(1);
  Checkpoint c({{"x", x}});
  const auto counted = [](Checkpoint& of) { return of.save_counter().Read().array().data<std::int64_t>()[0]; };
  EXPECT_EQ(counted(c), 0);
  EXPECT_EQ(c.Save("k"), "k-1");
  EXPECT_EQ(c.Save("k"), "k-2");
  EXPECT_EQ(c.Write("w"), "w");
  EXPECT_EQ(counted(c), 2);
  Checkpoint d({{"x", V(0)}});
  d.Restore("k-2");
  EXPECT_EQ(d.Save("k"), "k-3");
  Checkpoint e({{"x", V(0)}});
  e.Read("k-1")->ExpectPartial();
  EXPECT_EQ(e.Save("k"), "k-2") << "read leaves the counter waiting in the file";
  c.save_counter().Assign(Tensor(Array::Scalar(std::int64_t{41})));
  EXPECT_EQ(c.Save("k"), "k-42");
}

TEST_F(CheckpointFile, SaveMakesFolders) {
  Checkpoint c({{"x", V(1)}});
  EXPECT_EQ(c.Save("a/b/c/ck"), "a/b/c/ck-1");
  EXPECT_EQ(c.Write("x/y/w"), "x/y/w");
  EXPECT_THAT(FilesIn("a/b/c"), ElementsAre("checkpoint", "ck-1.data-00000-of-00001", "ck-1.index"));
  EXPECT_THAT(FilesIn("x/y"), ElementsAre("w.data-00000-of-00001", "w.index"));
  EXPECT_EQ(io::ReadFile("a/b/c/checkpoint"),
            "model_checkpoint_path: \"ck-1\"\nall_model_checkpoint_paths: \"ck-1\"\n");
  EXPECT_EQ(LatestCheckpoint("a/b/c"), "a/b/c/ck-1");
}

TEST_F(CheckpointFile, KeywordsAndRoot) {
  EXPECT_EQ(
      Attempt([] {
        Checkpoint({{"x", Attribute()}});
      }),
      "ValueError: `Checkpoint` was expecting x to be a trackable object (an object derived from `Trackable`), got "
      "nothing. If you believe this object should be trackable (i.e. it is part of the TensorFlow Python API and "
      "manages state), please open an issue.");
  const Variable x = V(1);
  const auto m = Mod({{"x", x}});
  EXPECT_EQ(Attempt([&] { Checkpoint(*m, {{"x", x}}); }), "ok");
  EXPECT_EQ(Attempt([&] {
              Checkpoint(*m, {{"x", V(2)}});
            }),
            "ValueError: Cannot create a Checkpoint with keyword argument x if root.x already exists.");
  Checkpoint both(*m, {{"x", x}, {"y", V(3)}});
  both.Write("ck");
  EXPECT_THAT(KeysOf("ck"), ElementsAre("_CHECKPOINTABLE_OBJECT_GRAPH", "x/.ATTRIBUTES/VARIABLE_VALUE",
                                        "y/.ATTRIBUTES/VARIABLE_VALUE"));
  const Variable other = V(0), y = V(0);
  const auto d = Mod({{"x", other}});
  EXPECT_THAT(Asserts(*Checkpoint(*d, {{"y", y}}).Read("ck")), ElementsAre("ok", "ok", "ok"));
  EXPECT_EQ(ValueOf(other), 1);
  EXPECT_EQ(ValueOf(y), 3);
}

TEST_F(CheckpointFile, DeletedAndReplacedAttributes) {
  const auto m = Mod({{"x", V(1)}, {"y", V(2)}});
  m->Untrack("x");
  m->SetAttribute("y", V(5));
  Checkpoint({{"m", m}}).Write("ck");
  EXPECT_THAT(KeysOf("ck"), ElementsAre("_CHECKPOINTABLE_OBJECT_GRAPH", "m/y/.ATTRIBUTES/VARIABLE_VALUE"));
  EXPECT_EQ(LoadVariable("ck", "m/y/.ATTRIBUTES/VARIABLE_VALUE").data<float>()[0], 5);
}

// A saved object that reaches itself, and a part of a checkpoint read through a smaller one.
TEST_F(CheckpointFile, CyclesAndParts) {
  const Variable x = V(1);
  const auto m = Mod({{"x", x}});
  m->TrackReference("me", *m);
  Checkpoint c(*m);
  EXPECT_EQ(c.Save("ck"), "ck-1");
  EXPECT_THAT(KeysOf("ck-1"), ElementsAre("_CHECKPOINTABLE_OBJECT_GRAPH", "save_counter/.ATTRIBUTES/VARIABLE_VALUE",
                                          "x/.ATTRIBUTES/VARIABLE_VALUE"));
  Checkpoint({{"a", Mod({{"x", V(1)}, {"y", V(2)}})}, {"b", V(3)}}).Write("whole");
  const Variable part = V(0);
  const auto inner = std::make_shared<Checkpoint>(Checkpoint::Keywords{{"x", part}});
  const auto status = Checkpoint({{"a", inner}}).Read("whole");
  status->ExpectPartial();
  EXPECT_EQ(ValueOf(part), 1);
  EXPECT_EQ(Asserts(*status)[1], "ok");
}

class CheckpointByName : public CheckpointTest {
 protected:
  // a = [1, 2, 3], scope/b = [4, 5]
  static void Names() {
    const Logged quiet;
    Saver(Saver::VarDict{{"a", V({1, 2, 3})}, {"scope/b", V({4, 5})}}).Save(nullptr, "n");
  }
};

TEST_F(CheckpointByName, MatchesNames) {
  Names();
  const Variable a = V({0, 0, 0}, "a"), again = V({9, 9, 9}, "a"), b = V({0, 0}, "scope/b");
  const Logged log;
  Checkpoint c({{"q", Attribute::List{a, again, b}}});
  const auto status = c.Restore("n");
  EXPECT_THAT(ValuesOf(a), ElementsAre(1, 2, 3));
  EXPECT_THAT(ValuesOf(again), ElementsAre(1, 2, 3));
  EXPECT_THAT(ValuesOf(b), ElementsAre(4, 5));
  EXPECT_THAT(Asserts(*status), ElementsAre("ok", "ok", "ok"));
  EXPECT_THAT(log.lines(), ElementsAre(HasSubstr("Restoring a name-based tf.train.Saver checkpoint using the "
                                                 "object-based restore API.")));
}

TEST_F(CheckpointByName, NamesWhatTheFileLacks) {
  Names();
  const Logged quiet;
  const Variable a = V({0, 0, 0}, "a"), z = V(7, "z");
  Checkpoint c({{"a", a}, {"z", z}});
  const auto status = c.Read("n");
  EXPECT_EQ(ValueOf(z), 7);
  const std::string refused =
      "AssertionError: Some objects had attributes which were not restored: \n    <tf.Variable 'z:0' shape=() "
      "dtype=float32, numpy=7.0>: ['z']";
  EXPECT_THAT(Asserts(*status), ElementsAre(refused, refused, refused));
}

TEST_F(CheckpointByName, AttachedLater) {
  Names();
  const Logged quiet;
  Checkpoint c;
  const auto status = c.Read("n");
  const Variable a = V({0, 0, 0}, "a");
  c.Track("a", a);
  EXPECT_THAT(ValuesOf(a), ElementsAre(1, 2, 3));
  EXPECT_THAT(Asserts(*status), ElementsAre("ok", "ok", "ok"));
}

TEST_F(CheckpointByName, WrongShape) {
  Names();
  const Variable a = V({0, 0}, "a");
  EXPECT_EQ(Attempt([&] {
              Checkpoint({{"a", a}}).Read("n");
            }),
            "ValueError: Received incompatible tensor with shape (3,) when attempting to restore variable with shape "
            "(2,) and name a.");
  EXPECT_THAT(ValuesOf(a), ElementsAre(0, 0));
}

TEST_F(CheckpointByName, SavedAgainWithObjects) {
  Names();
  const Logged quiet;
  Checkpoint c({{"a", V({0, 0, 0}, "a")}});
  c.Restore("n");
  EXPECT_EQ(c.Save("o"), "o-1");
  const Variable other = V({0, 0, 0}, "zz");
  Checkpoint({{"a", other}}).Restore("o-1")->AssertConsumed();
  EXPECT_THAT(ValuesOf(other), ElementsAre(1, 2, 3));
}

class CheckpointInGraph : public CheckpointTest {
 protected:
  static Variable Get(const char* name, const Array& initial) {
    return GetVariable(name, {.initial_value = Constant(initial)});
  }
  static void Source() { Checkpoint({{"x", V({1, 2})}, {"m", Mod({{"y", V(3)}})}}).Save("ck"); }
};

TEST_F(CheckpointInGraph, RunsRestoreOps) {
  Source();
  Graph graph;
  GraphScope scope(graph);
  Session session(graph);
  SessionScope in_session(session);
  const Variable x = Get("x", Array::Of<float>(Shape{2}, {0, 0})), y = Get("y", Array::Scalar(0.0F));
  Checkpoint c({{"x", x}, {"m", Mod({{"y", y}})}});
  const auto status = c.Restore("ck-1");
  EXPECT_THAT(Attempt([&] { session.Run(x.value()); }), StartsWith("FailedPreconditionError"));
  status->AssertConsumed()->RunRestoreOps();
  EXPECT_EQ(session.Run(x.value()).data<float>()[1], 2);
  EXPECT_EQ(session.Run(y.value()).data<float>()[0], 3);
  EXPECT_EQ(session.Run(c.save_counter().value()).data<std::int64_t>()[0], 1);
}

TEST_F(CheckpointInGraph, InitializesTheRest) {
  Source();
  Graph graph;
  GraphScope scope(graph);
  Session session(graph);
  const Variable x = Get("x", Array::Of<float>(Shape{2}, {0, 0})), z = Get("z", Array::Scalar(9.0F));
  Checkpoint c({{"x", x}, {"z", z}});
  const auto status = c.Restore("ck-1");
  status->ExpectPartial();
  status->InitializeOrRestore(&session);
  EXPECT_EQ(session.Run(x.value()).data<float>()[0], 1);
  EXPECT_EQ(session.Run(z.value()).data<float>()[0], 9);
  EXPECT_EQ(Asserts(*status)[0], Unbound(1, "<tf.Variable 'z:0' shape=() dtype=float32>"));
}

TEST_F(CheckpointInGraph, AttachedBetweenRuns) {
  Source();
  Graph graph;
  GraphScope scope(graph);
  Session session(graph);
  SessionScope in_session(session);
  const auto m = Mod();
  Checkpoint c({{"m", m}});
  const auto status = c.Restore("ck-1");
  status->ExpectPartial()->RunRestoreOps();
  const Variable y = Get("y", Array::Scalar(0.0F));
  m->SetAttribute("y", y);
  status->RunRestoreOps();
  EXPECT_EQ(session.Run(y.value()).data<float>()[0], 3);
}

TEST_F(CheckpointInGraph, NeedsASession) {
  Source();
  Graph graph;
  GraphScope scope(graph);
  const Variable x = Get("x", Array::Of<float>(Shape{2}, {0, 0}));
  Checkpoint c({{"x", x}});
  EXPECT_THAT(Attempt([&] { c.Save("q"); }),
              StartsWith("RuntimeError: Unable to save checkpoint to \"q\" in graph mode without a default session."));
  Session session(graph);
  SessionScope in_session(session);
  EXPECT_THAT(Attempt([&] { c.Write("q"); }),
              testing::AllOf(StartsWith("FailedPreconditionError"), HasSubstr("variable x")));
  EXPECT_FALSE(std::filesystem::exists("q.index"));
  session.Run(x.initializer());
  const auto nodes = graph.nodes().size();
  EXPECT_EQ(c.Save("q"), "q-1");
  EXPECT_EQ(c.Save("q"), "q-2");
  EXPECT_GT(graph.nodes().size(), nodes) << "the counter";
  EXPECT_EQ(io::ReadFile("checkpoint"), "model_checkpoint_path: \"q-2\"\nall_model_checkpoint_paths: \"q-2\"\n");
}

TEST_F(CheckpointInGraph, ByName) {
  {
    const Logged quiet;
    Saver(Saver::VarDict{{"x", V({1, 2})}}).Save(nullptr, "n");
  }
  const Logged quiet;
  Graph graph;
  GraphScope scope(graph);
  Session session(graph);
  SessionScope in_session(session);
  const Variable x = Get("x", Array::Of<float>(Shape{2}, {0, 0}));
  Checkpoint c({{"x", x}});
  const auto status = c.Read("n");
  status->RunRestoreOps();
  EXPECT_EQ(session.Run(x.value()).data<float>()[1], 2);
  EXPECT_EQ(Asserts(*status)[0], "ok");
  const Variable z = Get("z", Array::Scalar(4.0F));
  Checkpoint more({{"x", x}, {"z", z}});
  EXPECT_THAT(Attempt([&] { more.Read("n")->RunRestoreOps(); }),
              testing::AllOf(StartsWith("NotFoundError"), HasSubstr("Key z not found in checkpoint")));
}

}  // namespace
}  // namespace equiv::runtime

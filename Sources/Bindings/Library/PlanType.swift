import Runtime

/// A study's plan as Lua holds it.
final class PlanBox: LuaObject {
    let plan: StudyPlan

    init(_ plan: StudyPlan) { self.plan = plan }
}

extension Library {
    static var planType: ObjectType {
        ObjectType(
            "plan", PlanBox.self, "What a study will do and cost.", describe: { $0.plan.text() },
            fields: [
                Field("naive_steps", "integer", "Steps if every arm were trained from scratch.") {
                    $0.plan.naiveSteps
                },
                Field(
                    "distinct_steps", "integer", "Steps with every distinct segment trained once."
                ) {
                    $0.plan.distinctSteps
                },
                Field("missing_steps", "integer", "Steps that the store does not have yet.") {
                    $0.plan.missingSteps
                },
                Field(
                    "seconds", "number",
                    "Predicted time for the missing steps; nil without calibration."
                ) {
                    $0.plan.seconds
                },
                Field(
                    "operations", "number",
                    "Floating-point operations of the missing steps, forward and backward."
                ) { $0.plan.missingOperations },
                Field("memory", "integer", "Bytes that training needs at most.") {
                    $0.plan.memoryBytes
                },
                Field("disk", "integer", "Bytes of the checkpoints that stay.") {
                    $0.plan.checkpointBytes
                },
            ])
    }
}

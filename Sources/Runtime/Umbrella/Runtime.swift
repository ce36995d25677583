// The laboratory as one library: a client imports Runtime and nothing else.
@_exported import RuntimeAnalysis
@_exported import RuntimeData
@_exported import RuntimeEvaluation
@_exported import RuntimeModel
@_exported import RuntimeNumerics
@_exported import RuntimeReport
@_exported import RuntimeStore
@_exported import RuntimeSupport
@_exported import RuntimeTraining

// swift-tools-version: 6.0
import Foundation
import PackageDescription

// Kernels are compiled for the machine that builds them. MTREPL_PORTABLE=1 builds for any x86-64 or
// arm64 instead; results then differ in the last bits, which the numerics part of a state key says.
let portable = ProcessInfo.processInfo.environment["MTREPL_PORTABLE"] != nil
let native: [String] = portable ? [] : ["-march=native"]

let swift: [SwiftSetting] = [
    // Tests import internals and run optimised; one set of flags keeps one build of everything.
    .unsafeFlags(["-enable-testing"], .when(configuration: .release)),
    .enableUpcomingFeature("ExistentialAny"),
]

let package = Package(
    name: "mtrepl",
    products: [
        .executable(name: "mtrepl", targets: ["mtrepl"]),
        .library(name: "Runtime", targets: ["Runtime"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    ],
    targets: [
        .systemLibrary(name: "COpenBLAS", providers: [.apt(["libopenblas-dev"])]),
        .systemLibrary(name: "CDNNL", providers: [.apt(["libdnnl-dev"])]),
        .systemLibrary(name: "CReadline", providers: [.apt(["libreadline-dev"])]),
        .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CZstd", providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(name: "CPCRE2", providers: [.apt(["libpcre2-dev"])]),
        .systemLibrary(name: "CZMQ", providers: [.apt(["libzmq3-dev"])]),
        .target(name: "CDigest"),
        .target(name: "CPool"),
        .target(name: "CFiles"),
        .target(
            name: "CLua",
            dependencies: ["CFiles"],
            cSettings: [.unsafeFlags(["-O2", "-Wall", "-Wextra", "-Werror"])],
            linkerSettings: [.linkedLibrary("lua5.4")]),
        .target(
            name: "CKernels",
            dependencies: ["COpenBLAS", "CDNNL", "CPool"],
            cSettings: [.unsafeFlags(["-O3", "-Wall", "-Wextra", "-Werror"] + native)],
            linkerSettings: [.linkedLibrary("openblas"), .linkedLibrary("dnnl")]),
        // The path of the data through Runtime, which docs/architecture.md draws: a target may use those before it.
        .target(
            name: "RuntimeSupport", dependencies: ["CDigest", "CFiles", "CPool"],
            path: "Sources/Runtime/Support", exclude: ["README.md"], swiftSettings: swift),
        .target(
            name: "RuntimeNumerics", dependencies: ["CKernels", "RuntimeSupport"],
            path: "Sources/Runtime/Numerics", exclude: ["README.md"], swiftSettings: swift),
        .target(
            name: "RuntimeData", dependencies: ["CPCRE2", "CZlib", "CZstd", "RuntimeSupport"],
            path: "Sources/Runtime/Data", exclude: ["README.md"], swiftSettings: swift),
        .target(
            name: "RuntimeModel", dependencies: ["RuntimeData", "RuntimeNumerics"],
            path: "Sources/Runtime/Model", exclude: ["README.md"], swiftSettings: swift),
        .target(
            name: "RuntimeEvaluation", dependencies: ["RuntimeModel"],
            path: "Sources/Runtime/Evaluation", exclude: ["README.md"], swiftSettings: swift),
        .target(
            name: "RuntimeStore",
            dependencies: ["RuntimeEvaluation", .product(name: "GRDB", package: "GRDB.swift")],
            path: "Sources/Runtime/Store", exclude: ["README.md"], swiftSettings: swift),
        .target(
            name: "RuntimeTraining", dependencies: ["RuntimeStore"],
            path: "Sources/Runtime/Training", exclude: ["README.md"], swiftSettings: swift),
        .target(
            name: "RuntimeAnalysis", dependencies: ["CZstd", "RuntimeTraining"],
            path: "Sources/Runtime/Analysis", exclude: ["README.md"], swiftSettings: swift),
        .target(
            name: "RuntimeReport", dependencies: ["RuntimeAnalysis"],
            path: "Sources/Runtime/Report", exclude: ["README.md"], swiftSettings: swift),
        .target(
            name: "Runtime", dependencies: ["RuntimeReport"], path: "Sources/Runtime/Umbrella",
            swiftSettings: swift),
        .target(name: "Bindings", dependencies: ["CLua", "Runtime"], swiftSettings: swift),
        .executableTarget(
            name: "mtrepl",
            dependencies: [
                "Bindings", "CReadline", "CZMQ",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: swift),
        .target(name: "TestSupport", dependencies: ["Runtime"], path: "Tests/TestSupport"),
        .testTarget(
            name: "RuntimeTests", dependencies: ["CDigest", "Runtime", "TestSupport"],
            exclude: ["Reference"]),
        .testTarget(
            name: "BindingsTests", dependencies: ["Bindings", "CLua", "TestSupport", "mtrepl"],
            exclude: ["Scripts"]),
        .testTarget(
            name: "MtreplTests", dependencies: ["TestSupport", "mtrepl"],
            exclude: ["Kernel", "Notebooks/both_ways.py"]),
    ],
    swiftLanguageModes: [.v6]
)

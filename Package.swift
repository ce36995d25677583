// swift-tools-version: 6.0
import PackageDescription

let swift: [SwiftSetting] = [.enableUpcomingFeature("ExistentialAny")]

// The path of the data through Runtime, which docs/architecture.md draws: a target uses those before it. It names all of them,
// not its neighbour alone, as the build sees no change of a module that is not named.
let layers = [
    "Support", "Numerics", "Data", "Model", "Evaluation", "Store", "Training", "Analysis", "Report",
].map { Target.Dependency.target(name: "Runtime\($0)") }

func layer(_ name: String, _ before: [String], _ others: [Target.Dependency] = []) -> Target {
    .target(
        name: "Runtime\(name)",
        dependencies: others + before.map { .target(name: "Runtime\($0)") },
        path: "Sources/Runtime/\(name)", exclude: ["README.md"], swiftSettings: swift)
}

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
            linkerSettings: [.linkedLibrary("lua5.4")]),
        .target(
            name: "CKernels",
            dependencies: ["COpenBLAS", "CDNNL", "CPool"],
            linkerSettings: [.linkedLibrary("openblas"), .linkedLibrary("dnnl")]),
        layer("Support", [], ["CDigest", "CFiles", "CPool"]),
        layer("Numerics", ["Support"], ["CKernels"]),
        layer("Data", ["Support"], ["CPCRE2", "CZlib", "CZstd"]),
        layer("Model", ["Data", "Numerics", "Support"]),
        layer("Evaluation", ["Model", "Data", "Numerics", "Support"]),
        layer(
            "Store", ["Evaluation", "Model", "Data", "Numerics", "Support"],
            ["CFiles", "CZlib", .product(name: "GRDB", package: "GRDB.swift")]),
        layer("Training", ["Store", "Evaluation", "Model", "Data", "Numerics", "Support"]),
        layer(
            "Analysis",
            ["Training", "Store", "Evaluation", "Model", "Data", "Numerics", "Support"], ["CZstd"]),
        layer(
            "Report",
            ["Analysis", "Training", "Store", "Evaluation", "Data", "Numerics", "Support"]),
        .target(
            name: "Runtime", dependencies: layers, path: "Sources/Runtime/Umbrella",
            swiftSettings: swift),
        .target(
            name: "Bindings", dependencies: ["CLua", "Runtime"] + layers,
            resources: [.embedInCode("Prompt/prelude.lua")], swiftSettings: swift),
        .executableTarget(
            name: "mtrepl",
            dependencies: [
                "Bindings", "CReadline", "CZMQ", "Runtime",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ] + layers,
            swiftSettings: swift),
        .target(name: "TestSupport", dependencies: ["Runtime"] + layers, path: "Tests/TestSupport"),
        .testTarget(
            name: "RuntimeTests",
            dependencies: ["CDigest", "CKernels", "CPool", "Runtime", "TestSupport"] + layers,
            exclude: ["Reference"]),
        .testTarget(
            name: "BindingsTests",
            dependencies: ["Bindings", "CLua", "Runtime", "TestSupport", "mtrepl"] + layers,
            exclude: ["Scripts"]),
        .testTarget(
            name: "MtreplTests", dependencies: ["Runtime", "TestSupport", "mtrepl"] + layers,
            exclude: ["Kernel", "Notebooks/both_ways.py"]),
    ],
    swiftLanguageModes: [.v6]
)

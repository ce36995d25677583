// swift-tools-version: 6.0
import PackageDescription

// Built by fuzz/run, which instruments everything that is written in Swift.
let package = Package(
    name: "fuzz",
    dependencies: [.package(name: "mtrepl", path: "..")],
    targets: [
        .systemLibrary(name: "LibFuzzer"),
        .executableTarget(
            name: "Fuzz",
            dependencies: ["LibFuzzer", .product(name: "Runtime", package: "mtrepl")],
            swiftSettings: [.enableUpcomingFeature("ExistentialAny")]),
    ],
    swiftLanguageModes: [.v6]
)

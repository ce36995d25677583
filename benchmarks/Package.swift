// swift-tools-version: 6.0
import PackageDescription

let package = Package(
    name: "benchmarks",
    dependencies: [.package(name: "mtrepl", path: "..")],
    targets: [
        .executableTarget(
            name: "Bench", dependencies: [.product(name: "Runtime", package: "mtrepl")],
            swiftSettings: [.enableUpcomingFeature("ExistentialAny")])
    ],
    swiftLanguageModes: [.v6]
)

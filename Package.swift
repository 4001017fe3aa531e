// swift-tools-version: 6.1
import PackageDescription

let settings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

// OrderedDictionary keeps the key order of JSON and GGUF metadata.
let collections: Target.Dependency = .product(name: "OrderedCollections", package: "swift-collections")

// Heap orders the candidate merges of long words.
let heap: Target.Dependency = .product(name: "HeapModule", package: "swift-collections")

// Commands, help and completions.
let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
  name: "mtconv",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "mtconv", targets: ["mtconv"]),
    .library(name: "TensorFormats", targets: ["TensorFormats"]),
    .library(name: "SafetensorsFormat", targets: ["SafetensorsFormat"]),
    .library(name: "GGUFFormat", targets: ["GGUFFormat"]),
    .library(name: "ModelTokenizers", targets: ["ModelTokenizers"]),
    .library(
      name: "ModelCompression", targets: ["ModelCompression", "ModelCheckpoints", "ModelArchitectures", "ModelCompute"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.2.0"),
  ],
  targets: [
    .systemLibrary(name: "CTensorKernels"),
    .target(
      name: "TensorFormats", dependencies: ["CTensorKernels", collections], exclude: ["README.md"],
      swiftSettings: settings),
    .target(
      name: "SafetensorsFormat", dependencies: ["TensorFormats", collections], exclude: ["README.md"],
      swiftSettings: settings),
    .target(
      name: "GGUFFormat", dependencies: ["TensorFormats", collections], exclude: ["README.md"],
      swiftSettings: settings),
    .target(
      name: "ModelTokenizers", dependencies: ["TensorFormats", collections, heap], exclude: ["README.md"],
      swiftSettings: settings),
    .target(name: "ModelArchitectures", exclude: ["README.md"], swiftSettings: settings),
    .target(
      name: "ModelCheckpoints",
      dependencies: [
        "ModelArchitectures", "ModelTokenizers", "SafetensorsFormat", "GGUFFormat", "TensorFormats", collections,
      ],
      exclude: ["README.md"], swiftSettings: settings),
    // Matrix products in F32, and the triangular solutions of healing in F64. No LAPACK is needed.
    .systemLibrary(
      name: "CModelBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"]), .brew(["openblas"])]),
    .target(
      name: "ModelCompute", dependencies: ["ModelArchitectures", "TensorFormats", "CTensorKernels", "CModelBLAS"],
      exclude: ["README.md"], swiftSettings: settings),
    .target(
      name: "ModelCompression",
      dependencies: [
        "ModelCompute", "ModelCheckpoints", "ModelArchitectures", "ModelTokenizers", "SafetensorsFormat", "GGUFFormat",
        "TensorFormats", collections,
      ],
      exclude: ["README.md"], swiftSettings: settings),
    .executableTarget(
      name: "mtconv",
      dependencies: [
        "ModelCompression", "ModelCompute", "ModelCheckpoints", "ModelArchitectures", "ModelTokenizers",
        "SafetensorsFormat", "TensorFormats", argumentParser, collections,
      ],
      exclude: ["README.md"], swiftSettings: settings),

    .target(
      name: "MTConvTestSupport", dependencies: ["TensorFormats"], path: "Tests/MTConvTestSupport",
      swiftSettings: settings),
    .testTarget(
      name: "TensorFormatsTests", dependencies: ["TensorFormats", "MTConvTestSupport"], swiftSettings: settings),
    .testTarget(
      name: "SafetensorsFormatTests",
      dependencies: ["SafetensorsFormat", "TensorFormats", "MTConvTestSupport", collections], swiftSettings: settings),
    .testTarget(
      name: "GGUFFormatTests", dependencies: ["GGUFFormat", "TensorFormats", collections, "MTConvTestSupport"],
      swiftSettings: settings),
    .testTarget(
      name: "ModelTokenizersTests", dependencies: ["ModelTokenizers", "MTConvTestSupport"], swiftSettings: settings),
    .testTarget(
      name: "ModelComputeTests",
      dependencies: ["ModelCompute", "ModelArchitectures", "SafetensorsFormat", "TensorFormats", "MTConvTestSupport"],
      swiftSettings: settings),
    .testTarget(
      name: "ModelArchitecturesTests",
      dependencies: [
        "ModelArchitectures", "ModelCheckpoints", "SafetensorsFormat", "TensorFormats", "MTConvTestSupport",
        collections,
      ], swiftSettings: settings),
    .testTarget(
      name: "ModelCheckpointsTests",
      dependencies: [
        "ModelCheckpoints", "ModelArchitectures", "ModelTokenizers", "SafetensorsFormat", "GGUFFormat", "TensorFormats",
        "MTConvTestSupport", collections,
      ], swiftSettings: settings),
    .testTarget(
      name: "ModelCompressionTests",
      dependencies: [
        "ModelCompression", "ModelCompute", "ModelCheckpoints", "ModelArchitectures", "ModelTokenizers",
        "SafetensorsFormat", "GGUFFormat", "TensorFormats", "MTConvTestSupport", collections,
      ], swiftSettings: settings),
    // The code in the documentation, compiled with the settings that a new package has.
    .testTarget(
      name: "DocumentationTests",
      dependencies: [
        "mtconv", "ModelCompression", "ModelCompute", "ModelCheckpoints", "ModelArchitectures", "ModelTokenizers",
        "SafetensorsFormat", "GGUFFormat", "TensorFormats", "CModelBLAS", "MTConvTestSupport", collections,
      ]),
    .testTarget(
      name: "mtconvTests",
      dependencies: ["mtconv", "ModelCheckpoints", "SafetensorsFormat", "TensorFormats", "MTConvTestSupport"],
      swiftSettings: settings),
  ],
  swiftLanguageModes: [.v6]
)

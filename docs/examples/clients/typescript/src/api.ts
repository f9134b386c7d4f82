// Messages and services of the API.
export * from "./gen/alatau/api/v1/account_pb.js";
export * from "./gen/alatau/api/v1/block_pb.js";
export * from "./gen/alatau/api/v1/block_service_pb.js";
export * from "./gen/alatau/api/v1/error_reason_pb.js";
export * from "./gen/alatau/api/v1/event_service_pb.js";
export * from "./gen/alatau/api/v1/log_pb.js";
export * from "./gen/alatau/api/v1/node_pb.js";
export * from "./gen/alatau/api/v1/node_service_pb.js";
export * from "./gen/alatau/api/v1/state_service_pb.js";
export * from "./gen/alatau/api/v1/transaction_pb.js";
export * from "./gen/alatau/api/v1/transaction_service_pb.js";

// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @title What the market signs
/// @notice The EIP-712 hashes of jobs, receipts, vouchers, offers and passes, as module protocol defines
/// them; docs/protocol.md says what each member means. The three that hash them, Java, this library
/// and cast, are held together by the golden vectors in the protocol module's tests.
library TypedData {
    /// @notice One named setting of a job.
    struct Parameter {
        string name;
        string value;
    }

    /// @notice A piece of work that a requester asks for, and signs.
    struct Job {
        string kind;
        bytes32 model;
        string profile;
        bytes32 input;
        Parameter[] parameters;
        uint64 seed;
        uint256 priceMax;
        uint64 deadline;
        address requester;
        uint256 nonce;
    }

    /// @notice A provider's signed statement of what it computed.
    struct Receipt {
        bytes32 job;
        address provider;
        bytes32 model;
        uint64 tokensIn;
        uint64 tokensOut;
        uint64 steps;
        bytes32 commitment;
        bytes32 commitmentsRoot;
        bytes32 output;
        string device;
        string profile;
        uint64 startedAt;
        uint64 finishedAt;
        uint256 price;
    }

    /// @notice A requester's signed promise on a payment channel; the amount is cumulative.
    struct Voucher {
        bytes32 channel;
        uint256 amount;
        bytes32 receiptsRoot;
    }

    /// @notice One device of an offer.
    struct Device {
        string name;
        uint64 memoryBytes;
        string profile;
        uint64 megaflopsPerSecond;
        uint64 megabytesPerSecond;
    }

    /// @notice One kind of work on one model of an offer.
    struct Model {
        bytes32 root;
        string name;
        string kind;
        uint256 priceIn;
        uint256 priceOut;
    }

    /// @notice A provider's signed advert.
    struct Offer {
        string peer;
        string[] addresses;
        address account;
        Device[] devices;
        Model[] models;
        uint256 priceMinimum;
        string region;
        uint64 validUntil;
        uint64 sequence;
    }

    /// @notice A requester's word that a peer speaks for it in one job.
    struct JobPass {
        bytes32 job;
        string peer;
    }

    /// @notice A payer's word that a key may move up to `limit` of its balance into channels.
    struct SessionKey {
        address payer;
        address key;
        address token;
        uint256 limit;
        uint64 expiresAt;
        uint256 nonce;
    }

    /// @notice A provider's word that it takes a job on at these terms.
    struct Acceptance {
        bytes32 job;
        address requester;
        address provider;
        uint256 amount;
        uint64 deadline;
        uint8 milestones;
    }

    /// @notice A requester's word that a milestone may be paid with this proof and amount.
    struct Approval {
        bytes32 job;
        address provider;
        uint8 milestone;
        bytes32 proofRoot;
        uint256 amountDue;
    }

    bytes32 internal constant DOMAIN_TYPEHASH = keccak256(
        "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
    );
    bytes32 internal constant PARAMETER_TYPEHASH = keccak256("Parameter(string name,string value)");
    bytes32 internal constant JOB_TYPEHASH = keccak256(
        "Job(string kind,bytes32 model,string profile,bytes32 input,Parameter[] parameters,uint64 seed,uint256 priceMax,uint64 deadline,address requester,uint256 nonce)Parameter(string name,string value)"
    );
    bytes32 internal constant RECEIPT_TYPEHASH = keccak256(
        "Receipt(bytes32 job,address provider,bytes32 model,uint64 tokensIn,uint64 tokensOut,uint64 steps,bytes32 commitment,bytes32 commitmentsRoot,bytes32 output,string device,string profile,uint64 startedAt,uint64 finishedAt,uint256 price)"
    );
    bytes32 internal constant VOUCHER_TYPEHASH =
        keccak256("Voucher(bytes32 channel,uint256 amount,bytes32 receiptsRoot)");
    bytes32 internal constant DEVICE_TYPEHASH = keccak256(
        "Device(string name,uint64 memoryBytes,string profile,uint64 megaflopsPerSecond,uint64 megabytesPerSecond)"
    );
    bytes32 internal constant MODEL_TYPEHASH =
        keccak256("Model(bytes32 root,string name,string kind,uint256 priceIn,uint256 priceOut)");
    bytes32 internal constant OFFER_TYPEHASH = keccak256(
        "Offer(string peer,string[] addresses,address account,Device[] devices,Model[] models,uint256 priceMinimum,string region,uint64 validUntil,uint64 sequence)Device(string name,uint64 memoryBytes,string profile,uint64 megaflopsPerSecond,uint64 megabytesPerSecond)Model(bytes32 root,string name,string kind,uint256 priceIn,uint256 priceOut)"
    );

    bytes32 internal constant JOB_PASS_TYPEHASH = keccak256("JobPass(bytes32 job,string peer)");

    bytes32 internal constant SESSION_KEY_TYPEHASH = keccak256(
        "SessionKey(address payer,address key,address token,uint256 limit,uint64 expiresAt,uint256 nonce)"
    );
    bytes32 internal constant ACCEPTANCE_TYPEHASH = keccak256(
        "Acceptance(bytes32 job,address requester,address provider,uint256 amount,uint64 deadline,uint8 milestones)"
    );
    bytes32 internal constant APPROVAL_TYPEHASH = keccak256(
        "Approval(bytes32 job,address provider,uint8 milestone,bytes32 proofRoot,uint256 amountDue)"
    );

    /// @notice The domain of what the market signs: one chain, and PaymentChannels for vouchers and
    /// session keys, JobEscrow for everything else.
    function domainSeparator(uint256 chainId, address verifyingContract)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(
            abi.encode(
                DOMAIN_TYPEHASH, keccak256("RigMesh"), keccak256("1"), chainId, verifyingContract
            )
        );
    }

    /// @notice The digest that is signed.
    function digest(bytes32 separator, bytes32 structHash) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", separator, structHash));
    }

    /// @notice hashStruct of EIP-712 for a job.
    /// @dev Where a type has more members than the compiler's stack, its words are joined from two
    /// encodings; each word is 32 bytes, so the join is the encoding of all.
    function hash(Job memory job) internal pure returns (bytes32) {
        bytes32[] memory parameters = new bytes32[](job.parameters.length);
        for (uint256 i = 0; i < parameters.length; i++) {
            Parameter memory parameter = job.parameters[i];
            parameters[i] = keccak256(
                abi.encode(PARAMETER_TYPEHASH, _hash(parameter.name), _hash(parameter.value))
            );
        }
        return keccak256(
            bytes.concat(
                abi.encode(
                    JOB_TYPEHASH,
                    _hash(job.kind),
                    job.model,
                    _hash(job.profile),
                    job.input,
                    _hash(parameters)
                ),
                abi.encode(job.seed, job.priceMax, job.deadline, job.requester, job.nonce)
            )
        );
    }

    /// @notice hashStruct of EIP-712 for a receipt.
    function hash(Receipt memory receipt) internal pure returns (bytes32) {
        return keccak256(
            bytes.concat(
                abi.encode(
                    RECEIPT_TYPEHASH,
                    receipt.job,
                    receipt.provider,
                    receipt.model,
                    receipt.tokensIn,
                    receipt.tokensOut,
                    receipt.steps,
                    receipt.commitment
                ),
                abi.encode(
                    receipt.commitmentsRoot,
                    receipt.output,
                    _hash(receipt.device),
                    _hash(receipt.profile),
                    receipt.startedAt,
                    receipt.finishedAt,
                    receipt.price
                )
            )
        );
    }

    /// @notice hashStruct of EIP-712 for a voucher.
    function hash(Voucher memory voucher) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(VOUCHER_TYPEHASH, voucher.channel, voucher.amount, voucher.receiptsRoot)
        );
    }

    /// @notice hashStruct of EIP-712 for an offer.
    function hash(Offer memory offer) internal pure returns (bytes32) {
        bytes32[] memory addresses = new bytes32[](offer.addresses.length);
        for (uint256 i = 0; i < addresses.length; i++) {
            addresses[i] = _hash(offer.addresses[i]);
        }
        bytes32[] memory devices = new bytes32[](offer.devices.length);
        for (uint256 i = 0; i < devices.length; i++) {
            devices[i] = _hash(offer.devices[i]);
        }
        bytes32[] memory models = new bytes32[](offer.models.length);
        for (uint256 i = 0; i < models.length; i++) {
            models[i] = _hash(offer.models[i]);
        }
        return keccak256(
            abi.encode(
                OFFER_TYPEHASH,
                _hash(offer.peer),
                _hash(addresses),
                offer.account,
                _hash(devices),
                _hash(models),
                offer.priceMinimum,
                _hash(offer.region),
                offer.validUntil,
                offer.sequence
            )
        );
    }

    /// @notice hashStruct of EIP-712 for a job pass.
    function hash(JobPass memory pass) internal pure returns (bytes32) {
        return keccak256(abi.encode(JOB_PASS_TYPEHASH, pass.job, _hash(pass.peer)));
    }

    /// @notice hashStruct of EIP-712 for a session key.
    function hash(SessionKey memory session) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                SESSION_KEY_TYPEHASH,
                session.payer,
                session.key,
                session.token,
                session.limit,
                session.expiresAt,
                session.nonce
            )
        );
    }

    /// @notice hashStruct of EIP-712 for a provider's acceptance.
    function hash(Acceptance memory acceptance) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                ACCEPTANCE_TYPEHASH,
                acceptance.job,
                acceptance.requester,
                acceptance.provider,
                acceptance.amount,
                acceptance.deadline,
                acceptance.milestones
            )
        );
    }

    /// @notice hashStruct of EIP-712 for a requester's approval.
    function hash(Approval memory approval) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                APPROVAL_TYPEHASH,
                approval.job,
                approval.provider,
                approval.milestone,
                approval.proofRoot,
                approval.amountDue
            )
        );
    }

    function _hash(Device memory device) private pure returns (bytes32) {
        return keccak256(
            abi.encode(
                DEVICE_TYPEHASH,
                _hash(device.name),
                device.memoryBytes,
                _hash(device.profile),
                device.megaflopsPerSecond,
                device.megabytesPerSecond
            )
        );
    }

    function _hash(Model memory model) private pure returns (bytes32) {
        return keccak256(
            abi.encode(
                MODEL_TYPEHASH,
                model.root,
                _hash(model.name),
                _hash(model.kind),
                model.priceIn,
                model.priceOut
            )
        );
    }

    function _hash(string memory text) private pure returns (bytes32) {
        return keccak256(bytes(text));
    }

    /// @dev The encoding of an array is the hash of its elements' words, without a length.
    function _hash(bytes32[] memory words) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(words));
    }
}

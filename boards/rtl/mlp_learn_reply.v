// SPDX-License-Identifier: MIT
// mlp_learn_reply - makes the frame that answers a request of a core that learns
//
// Golden model   boards/lessons.py: reply
// Stream         answer: a status for each request; out: the bytes of a frame
// Throughput     2 cycles a byte of the payload, 1 a byte of the rest
//
// A frame is the tag, the digest, the core's ID, the status, the number of the step that comes next,
// the index of the sample that is wanted next, the payload, and a CRC-16; numbers of several bytes
// have their higher bytes first. The payload is a class and probabilities, or a chunk of a save.

`default_nettype none

module mlp_learn_reply #(
    parameter CLASSES   = 3,            // probabilities
    parameter CHUNK     = 32,           // words of a save at a time
    parameter STATE     = 68,           // words of a whole save
    parameter PAYLOAD   = 64,           // bytes of the longest payload, 1 or more
    parameter [31:0] ID = 32'd0         // of what the core learns: what the host holds it against
) (
    input  wire        clk,
    input  wire        rst,             // synchronous, active high

    input  wire        answer_valid,
    output wire        answer_ready,    // with the last byte of the frame
    input  wire        answer_damaged,  // its tag and digest are not believed
    input  wire [7:0]  answer_status,
    input  wire [7:0]  answer_kind,
    input  wire        answer_last_chunk,
    input  wire [7:0]  answer_tag,
    input  wire [15:0] answer_digest,
    input  wire [15:0] answer_step,
    input  wire [15:0] answer_index,

    input  wire        payload_write,   // while there is no answer
    input  wire [$clog2(PAYLOAD+1)-1:0] payload_addr,
    input  wire [7:0]  payload_data,

    output wire        out_valid,
    input  wire        out_ready,
    output wire        out_last,
    output reg  [7:0]  out_data
);

    localparam ADDR_W = $clog2(PAYLOAD + 1);

    localparam integer RESULT = CLASSES + 1;
    localparam integer WHOLE  = 2 * CHUNK;
    localparam integer REST   = 2 * ((STATE - 1) % CHUNK + 1);

    localparam [7:0] COMPUTED = 8'd0, PREDICT = 8'd0, LEARN = 8'd1, SAVE = 8'd4;

    localparam [3:0] TAG = 4'd0, DIGEST_1 = 4'd1, DIGEST_0 = 4'd2, ID_3 = 4'd3, ID_2 = 4'd4,
                     ID_1 = 4'd5, ID_0 = 4'd6, STATUS = 4'd7, STEP_1 = 4'd8, STEP_0 = 4'd9,
                     INDEX_1 = 4'd10, INDEX_0 = 4'd11, BYTES = 4'd12, CRC_1 = 4'd13, CRC_0 = 4'd14;

    reg  [3:0]        part;
    reg  [ADDR_W-1:0] at;
    reg               read;             // the payload's byte is there
    reg  [15:0]       crc;
    wire [15:0]       crc_next;
    wire [7:0]        payload;
    reg  [ADDR_W-1:0] length;           // bytes of the payload

    wire given    = out_valid && out_ready;
    wire in_bytes = part == BYTES;

    assign out_valid    = answer_valid && (!in_bytes || (read && at != length));
    assign out_last     = part == CRC_0;
    assign answer_ready = given && out_last;

    mlp_learn_ram #(.WIDTH(8), .DEPTH(PAYLOAD + 1)) u_payload (
        .clk(clk), .write(payload_write), .write_addr(payload_addr), .write_data(payload_data),
        .addr(at), .data(payload)
    );

    always @* begin
        length = {ADDR_W{1'b0}};
        if (answer_status == COMPUTED)
            case (answer_kind)
                PREDICT, LEARN: length = RESULT[ADDR_W-1:0];
                SAVE:           length = answer_last_chunk ? REST[ADDR_W-1:0] : WHOLE[ADDR_W-1:0];
                default:        length = {ADDR_W{1'b0}};
            endcase
    end

    mlp_crc16 u_crc (.crc(crc), .data(out_data), .next(crc_next));

    always @* begin
        case (part)
            TAG:      out_data = answer_damaged ? 8'd0 : answer_tag;
            DIGEST_1: out_data = answer_damaged ? 8'd0 : answer_digest[15:8];
            DIGEST_0: out_data = answer_damaged ? 8'd0 : answer_digest[7:0];
            ID_3:     out_data = ID[31:24];
            ID_2:     out_data = ID[23:16];
            ID_1:     out_data = ID[15:8];
            ID_0:     out_data = ID[7:0];
            STATUS:   out_data = answer_status;
            STEP_1:   out_data = answer_step[15:8];
            STEP_0:   out_data = answer_step[7:0];
            INDEX_1:  out_data = answer_index[15:8];
            INDEX_0:  out_data = answer_index[7:0];
            BYTES:    out_data = payload;
            CRC_1:    out_data = crc[15:8];
            default:  out_data = crc[7:0];
        endcase
    end

    always @(posedge clk) begin
        if (rst || !answer_valid)
            part <= TAG;
        else if (in_bytes ? at == length : given)
            part <= out_last ? TAG : part + 4'd1;
    end

    always @(posedge clk) begin
        if (!in_bytes)
            at <= {ADDR_W{1'b0}};
        else if (given)
            at <= at + 1'b1;
    end

    always @(posedge clk)
        read <= in_bytes && !given;

    // The CRC stands still while it is itself sent.
    always @(posedge clk) begin
        if (rst || !answer_valid)
            crc <= 16'hffff;
        else if (given && part != CRC_1 && part != CRC_0)
            crc <= crc_next;
    end

endmodule

`default_nettype wire

// SPDX-License-Identifier: MIT
// mlp_link_request - collects one frame, checks it, and feeds its sample to the core
//
// Golden model   boards/protocol.py: request
// Stream         in: the bytes and ends of frames, none can wait; x: a feature a beat; answer: one
//                beat for each frame, good or not
//
// A frame is a tag, BYTES bytes of a sample and a CRC-16, the higher byte first. It is checked
// whole before any of it is passed on. Until it is answered, further frames are dropped. The answer
// repeats the tag and the frame's own CRC, by which the host knows its sample again.

`default_nettype none

module mlp_link_request #(
    parameter N = 4,                    // features of a sample
    parameter W = 8                     // bits of a feature on the line, a multiple of 8
) (
    input  wire         clk,
    input  wire         rst,            // synchronous, active high

    input  wire         in_valid,
    input  wire         in_end,
    input  wire         in_bad,
    input  wire [7:0]   in_data,

    input  wire         core_rst,       // the core takes nothing yet
    input  wire         expired,        // and will take nothing any more
    output wire         x_valid,
    input  wire         x_ready,
    output wire         x_last,
    output wire [W-1:0] x_data,

    output wire         busy,           // from a good frame to the end of its answer
    output wire         answer_valid,   // high until the answer has been sent
    input  wire         answer_ready,
    output reg  [7:0]   answer_status,
    output wire [7:0]   answer_tag,     // 0 where the frame was not good
    output wire [15:0]  answer_digest   // the frame's CRC, likewise
);

    localparam integer FRAME = N * (W / 8) + 3;         // bytes, with its tag and its CRC
    localparam integer MORE  = FRAME + 1;
    localparam COUNT_W = $clog2(FRAME + 2);
    localparam LEFT_W  = $clog2(N + 1);

    localparam [7:0] COMPUTED = 8'd0, DAMAGED = 8'd1, WRONG_LENGTH = 8'd2, NO_RESULT = 8'd3;

    localparam [1:0] COLLECT = 2'd0, FEED = 2'd1, ANSWER = 2'd2;

    reg [1:0]         state;
    reg               dropping;                 // until the frame that came too early ends
    reg [FRAME*8-1:0] bytes;                    // the last ones, the newest on top
    reg [COUNT_W-1:0] count;                    // bytes of this frame, no more than FRAME + 1
    reg [15:0]        crc;
    reg [LEFT_W-1:0]  left;                     // features to be fed

    wire        taken    = in_valid && state == COLLECT && !dropping;
    wire        ends     = taken && in_end && count != {COUNT_W{1'b0}};
    wire        damaged  = in_bad || crc != 16'd0;
    wire        good     = count == FRAME[COUNT_W-1:0] && !damaged;
    wire        fed      = x_valid && x_ready;
    wire        gives_up = state == FEED && expired && !core_rst;
    wire [15:0] crc_next;

    // The digest stands above the tag once all features have left.
    assign busy          = state != COLLECT;
    assign answer_valid  = state == ANSWER;
    assign answer_tag    = answer_status == COMPUTED ? bytes[7:0] : 8'd0;
    assign answer_digest = answer_status == COMPUTED ? {bytes[15:8], bytes[23:16]} : 16'd0;
    assign x_valid       = state == FEED && !core_rst;
    assign x_last       = left == 1;
    assign x_data       = bytes[8 +: W];

    mlp_crc16 u_crc (.crc(crc), .data(in_data), .next(crc_next));

    always @(posedge clk) begin
        if (rst)
            state <= COLLECT;
        else
            case (state)
                COLLECT: if (ends) state <= good ? FEED : ANSWER;
                FEED:    if (gives_up || (fed && x_last)) state <= ANSWER;
                ANSWER:  if (answer_ready) state <= COLLECT;
                default: state <= COLLECT;
            endcase
    end

    always @(posedge clk) begin
        if (rst)
            dropping <= 1'b0;
        else if (in_valid && in_end)
            dropping <= 1'b0;
        else if (in_valid && state != COLLECT)
            dropping <= 1'b1;
    end

    always @(posedge clk) begin
        if (rst || (taken && in_end)) begin
            count <= {COUNT_W{1'b0}};
            crc   <= 16'hffff;
        end else if (taken) begin
            count <= count == MORE[COUNT_W-1:0] ? count : count + 1'b1;
            crc   <= crc_next;
        end
    end

    // Features leave from above the tag, which stays where it is.
    always @(posedge clk) begin
        if (taken && !in_end)
            bytes <= {in_data, bytes[FRAME*8-1:8]};
        else if (fed)
            bytes[FRAME*8-1:8] <= bytes[FRAME*8-1:8] >> W;
    end

    always @(posedge clk) begin
        if (state == COLLECT)
            left <= N[LEFT_W-1:0];
        else if (fed)
            left <= left - 1'b1;
    end

    always @(posedge clk) begin
        if (ends)
            answer_status <= good ? COMPUTED : damaged ? DAMAGED : WRONG_LENGTH;
        else if (gives_up)
            answer_status <= NO_RESULT;
    end

endmodule

`default_nettype wire
